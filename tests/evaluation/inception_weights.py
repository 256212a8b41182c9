"""Random weights for the 2015 Inception and images to show it: the same wherever NumPy draws them."""

import json
from pathlib import Path

import numpy as np

SHAPES = Path(__file__).with_name("golden") / "inception_shapes.json"
SEED = 2015
GAIN = 2  # of the kernels (He et al. 2015)
IMAGES = {"gray": (2, 28, 28, 1), "small": (2, 32, 32, 3), "exact": (1, 299, 299, 3), "large": (1, 200, 320, 3)}


def random_weights() -> dict[str, np.ndarray]:
    """A state dict whose activations stay of the order of 1, and whose every tensor matters."""
    draw = np.random.default_rng(SEED)
    return {name: random_tensor(name, tuple(shape), draw) for name, shape in json.loads(SHAPES.read_text()).items()}


def random_tensor(name: str, shape: tuple[int, ...], draw: np.random.Generator) -> np.ndarray:
    """Kernels that keep the size of activations through 48 layers, and normalizations that are none of 0 and 1."""
    values = draw.standard_normal(shape, dtype="float32")
    if len(shape) > 1:
        return values * np.float32(np.sqrt(GAIN / np.prod(shape[1:])))
    if name.endswith(("running_var", "bn.weight")):
        return np.exp(np.float32(0.2) * values)
    return values * np.float32(0.2)


def random_images() -> dict[str, np.ndarray]:
    """uint8 images (N, H, W, C): blotches of several sizes with noise, full black and full white included."""
    draw = np.random.default_rng(SEED + 1)
    images = {}
    for name, (count, height, width, channels) in IMAGES.items():
        coarse = draw.normal(size=(count, -(-height // 8), -(-width // 8), channels))
        blotches = coarse.repeat(8, axis=1).repeat(8, axis=2)[:, :height, :width]
        values = 128 + 90 * blotches + 30 * draw.normal(size=(count, height, width, channels))
        images[name] = np.clip(values, 0, 255).astype("uint8")
    return images
