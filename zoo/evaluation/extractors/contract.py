"""Kept until every extractor imports zoo.extractor."""

from typing import Any

import numpy as np

Weights = dict[str, np.ndarray]
Tensor = Any
