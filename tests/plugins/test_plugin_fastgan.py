"""FastGAN's maps, logits and decoders, its random hinge, and what is reconstructed."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import keras
import numpy as np
import pytest
from by_hand import column, number
from keras import ops
from zoo_plugins import fastgan
from zoo_plugins.fastgan import discriminator, distance, generator, networks, quarter, recipe, unit

from zoo import ZooError, layers

SMALL = replace(recipe(), width=2, discriminator_width=2, latent_size=3, reconstruction="pixels")
DRAW = np.random.default_rng(0)


def numpy(tensor: Any) -> Any:
    return ops.convert_to_numpy(tensor)


@pytest.mark.parametrize(
    ("shape", "last", "small", "logits"),
    [
        ((28, 28, 1), (7, 7), (7, 7), 2 * 4 * 4),
        ((32, 64, 3), (8, 16), (8, 16), 2 * 5 * 13),
        ((256, 256, 3), (8, 8), (8, 8), 25 + 25),  # the paper's
        ((16, 16, 1), (8, 8), (4, 4), 25 + 1),
    ],
)
def test_maps_and_logits_of_every_size_and_decoders_that_make_half_of_it(
    shape: tuple[int, ...], last: tuple[int, ...], small: tuple[int, ...], logits: int
) -> None:
    outputs = {name: each.shape[1:] for name, each in discriminator(shape, SMALL).output.items()}
    assert outputs["last_map"] == (*last, 16)
    assert outputs["small_map"] == (*small, 16)
    assert outputs["middle_map"] == (*(2 * side for side in last), 8)
    assert outputs["logits"] == (logits,)
    decoders = networks(shape, SMALL)
    assert {each.trained_with for each in decoders.values()} == {"discriminator"}
    assert decoders["last_map_decoder"].model.input.shape[1:] == outputs["last_map"]
    assert decoders["small_map_decoder"].model.input.shape[1:] == outputs["small_map"]
    assert decoders["middle_map_decoder"].model.input.shape[1:] == (*last, 8)  # a quarter
    half = (shape[0] // 2, shape[1] // 2, shape[2])
    assert {each.model.output.shape[1:] for each in decoders.values()} == {half}


def test_at_64_pixels_the_first_map_weighs_the_last() -> None:
    """Excitation is the only product in the discriminator."""
    counts = [
        sum(isinstance(each, keras.layers.Multiply) for each in discriminator((side, side, 1), SMALL).layers)
        for side in (32, 64)
    ]
    assert counts == [0, 1]


def test_every_other_doubling_of_the_generator_has_noise_twice() -> None:
    model = generator((64, 64, 3), SMALL)
    assert model.output.shape[1:] == (64, 64, 3)
    sides = [each.output.shape[1] for each in model.layers if isinstance(each, layers.NoiseInjection)]
    assert sides == [8, 8, 32, 32]


def test_the_hinge_stands_at_random_heights_from_8_tenths_to_1() -> None:
    seed = keras.random.SeedGenerator(0)
    many = column(*[0.0] * 2000)
    assert number(fastgan.discriminator_loss(many, many, seed)) == pytest.approx(1.8, abs=0.01)
    assert number(fastgan.discriminator_loss(column(1.0), column(-1.0), seed)) == 0
    once, again = (number(fastgan.discriminator_loss(column(0), column(0), seed)) for _ in range(2))
    assert 1.6 <= once <= 2
    assert once != again
    assert number(fastgan.generator_loss(column(2, 4))) == -3


def test_quarters_of_a_map_and_of_an_image_show_the_same_place() -> None:
    image = np.zeros((1, 8, 12, 1))
    image[:, 4:, :6] = 1
    for row, side in np.ndindex(2, 2):
        found = numpy(quarter(ops.convert_to_tensor(image), ops.convert_to_tensor(row), ops.convert_to_tensor(side)))
        assert found.shape == (1, 4, 6, 1)
        assert found.min() == found.max() == float((row, side) == (1, 0))


def echo(images: Callable[[Any], Any]) -> Callable[..., Any]:
    """In the place of a decoder: one that knows what it must make."""
    return lambda maps, training: images(maps)


def test_reconstructions_are_compared_with_the_image_as_it_was_seen_halved_or_a_quarter() -> None:
    """Maps that are the image itself: each decoder then is right at once."""
    seen = ops.convert_to_tensor(DRAW.uniform(-1, 1, (2, 8, 8, 1)).astype("float32"))
    halves = echo(lambda maps: ops.average_pool(maps, 2))
    outputs = {"seen": seen, "last_map": seen, "middle_map": seen, "small_map": seen}
    decoders = {"last_map_decoder": halves, "middle_map_decoder": echo(lambda maps: maps), "small_map_decoder": halves}
    seed = keras.random.SeedGenerator(0)
    for _ in range(4):  # quarters differ
        assert number(fastgan.discriminator_penalty(outputs, decoders, seed, SMALL)) == pytest.approx(0, abs=1e-5)
    decoders["last_map_decoder"] = echo(lambda maps: ops.average_pool(maps, 2) + 0.5)
    assert number(fastgan.discriminator_penalty(outputs, decoders, seed, SMALL)) == pytest.approx(8 * 0.5, rel=1e-5)


def test_maps_are_compared_at_norm_1_summed_over_channels() -> None:
    images = ops.convert_to_tensor(DRAW.normal(size=(2, 4, 4, 3)))

    def maps(x: Any) -> list[Any]:
        return [3 * x, x]

    assert number(distance(images, images, maps)) == 0
    assert number(distance(images, -images, maps)) == pytest.approx(2 * 4, rel=1e-3)  # |v - (-v)|^2 of two maps
    norms = np.linalg.norm(numpy(unit(images)), axis=3)
    assert norms == pytest.approx(np.ones_like(norms), rel=1e-3)


def test_features_see_what_is_decoded_and_are_frozen() -> None:
    found = networks((28, 28, 1), replace(SMALL, reconstruction="features", feature_size=32))["compared"]
    assert found.weights == []
    assert found.model.input.shape[1:] == (14, 14, 1)
    assert [each.shape[1] for each in found.model.output] == [8, 4, 2]


def test_points_are_refused() -> None:
    with pytest.raises(ZooError, match="Plugin 'fastgan' makes images"):
        generator((2,), SMALL)
