"""Measures the zoo's training speed beside Keras' `fit` and plain PyTorch. README.md says how to run it."""
