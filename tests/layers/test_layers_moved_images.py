"""Every image that comes out is one of those that can: flipped or not, shifted by whole pixels, its border as said."""

import keras
import numpy as np
import pytest
from keras import ops

from zoo import layers

DRAW = np.random.default_rng(0)
IMAGES = DRAW.normal(size=(200, 4, 6, 2)).astype("float32")


def shifts(image: np.ndarray, border: str, high: int, wide: int) -> list[np.ndarray]:
    """The image at every offset, by padding and cutting."""
    height, width, _ = image.shape
    mode = {"zero": "constant", "reflect": "reflect"}[border]
    padded = np.pad(image, ((high, high), (wide, wide), (0, 0)), mode=mode)
    return [
        padded[row : row + height, column : column + width]
        for row in range(2 * high + 1)
        for column in range(2 * wide + 1)
    ]


@pytest.mark.parametrize("border", ["zero", "reflect"])
def test_images_are_shifted_by_each_of_the_possible_offsets(border: str) -> None:
    made = layers.shifted(ops.convert_to_tensor(IMAGES), 1 / 3, border, keras.random.SeedGenerator(0))
    found = set()
    for image, moved in zip(IMAGES, ops.convert_to_numpy(made), strict=True):
        places = [place for place, each in enumerate(shifts(image, border, 1, 2)) if (each == moved).all()]
        assert len(places) == 1
        found.add(places[0])
    assert found == set(range(3 * 5))


def test_half_of_the_images_are_flipped_from_left_to_right() -> None:
    made = ops.convert_to_numpy(layers.flipped(ops.convert_to_tensor(IMAGES), keras.random.SeedGenerator(0)))
    flipped = np.array([(moved == image[:, ::-1]).all() for image, moved in zip(IMAGES, made, strict=True)])
    assert (made[~flipped] == IMAGES[~flipped]).all()
    assert 0.4 < flipped.mean() < 0.6
