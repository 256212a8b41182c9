"""A trained network in Keras' own layers and operations alone, so that its file opens where there is no zoo.

Each of the zoo's layers has an equal here, a file for each family: what it computes in inference, up to rounding, by
stock layers that hold its weights. What the zoo's layers do better are their gradients.
"""

from zoo.layers.stock import attention, batches, conditional, convolutions, images, noise, normalizations
from zoo.layers.stock.copying import (
    STOCK,
    copied,
    foreign_layers,
    in_stock_layers,
    inner_layers,
    is_functional,
    kinds_of,
)
from zoo.layers.stock.equals import constant, stock_equal
from zoo.layers.stock.normalizations import virtually_normalized

__all__ = [
    "STOCK",
    "attention",
    "batches",
    "conditional",
    "constant",
    "convolutions",
    "copied",
    "foreign_layers",
    "images",
    "in_stock_layers",
    "inner_layers",
    "is_functional",
    "kinds_of",
    "noise",
    "normalizations",
    "stock_equal",
    "virtually_normalized",
]
