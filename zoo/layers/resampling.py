"""Images at half or twice their size by a low-pass filter, and what else moves pixels without learning.

A filter of `taps` is applied to rows and to columns, and divided by its sum. Each direction is a product with a matrix
that is known beforehand: fast on every backend, in graphs and under XLA, where depthwise convolutions are not.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any, Literal, get_args

import keras
import numpy as np
from keras import ops

from zoo.errors import ZooError, unknown
from zoo.layers.exact import PACKAGE, Shape, Tensor, image_shape

Resampling = Literal["none", "up", "down"]
Border = Literal["zero", "edge", "reflect"]
TAPS = (1, 3, 3, 1)
