"""Optimizers that move nothing and keep the gradients, on top of any stack: they are in the state after an update."""

from zoo.testing.keeping import optimizers

__all__ = ["optimizers"]
