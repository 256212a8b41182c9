"""Plain gradient descent at a rate of 1, on top of any stack: an update changes each weight by minus its gradient."""

import keras

from zoo import hookimpl


@hookimpl
def optimizers() -> tuple[keras.Optimizer, keras.Optimizer]:
    """One for each player."""
    return keras.optimizers.SGD(1.0), keras.optimizers.SGD(1.0)
