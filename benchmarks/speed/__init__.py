"""How fast the zoo trains, beside the usual Keras way and plain PyTorch. README.md says how to run it."""
