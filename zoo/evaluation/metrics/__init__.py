"""The metrics, one small file each; registry.yaml names them in the order in which they are measured."""
