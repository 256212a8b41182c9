"""GAT's noise by hand, what both penalties see, its tokens, and the sizes it takes."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest
from by_hand import gradients, number
from keras import ops
from zoo_plugins import gat
from zoo_plugins.gat import augment, check, derive, discriminator, generator, recipe, schedule

from zoo import ZooError, layers
from zoo.layers.transformers import angles, sines

SMALL = replace(recipe(), heads=1, head_size=8, transformer_blocks=4, latent_size=3)
SHAPE = (8, 12, 1)
DRAW = np.random.default_rng(0)


def numpy(tensor: Any) -> Any:
    return ops.convert_to_numpy(tensor)


def test_levels_have_the_papers_noise_each_a_part_of_that_of_the_level_before() -> None:
    """Of images of 1: level i has the mean 1 - t_i, the deviation t_i, and the share of a later one's noise."""
    count = 40_000
    seen = augment(ops.ones((count, 1, 1, 1)), {"levels": ops.ones((count, 1, 1, 3))}, keras.random.SeedGenerator(0))
    found = np.concatenate([numpy(seen["levels"]), numpy(seen["samples"])], axis=3).reshape(count, 4)
    times = np.array([0.885, 0.76, 0.51, 0.01])  # 1.01 - .125^(1 - i/3)
    assert np.array(gat.NOISE) == pytest.approx(times)
    assert found.mean(axis=0) == pytest.approx(1 - times, abs=0.02)
    assert found.std(axis=0) == pytest.approx(times, rel=0.02)
    expected = times[2] ** 2 * (1 - times[1]) / (1 - times[2])
    assert np.cov(found[:, 1], found[:, 2])[0, 1] == pytest.approx(expected, rel=0.05)


def test_levels_keep_their_places_under_noise() -> None:
    levels = ops.convert_to_tensor(np.array([100.0, 200.0, 300.0], "float32").reshape(1, 1, 1, 3))
    seen = augment(ops.full((1, 1, 1, 1), 400.0), {"levels": levels}, keras.random.SeedGenerator(0))
    values = [*numpy(seen["levels"]).ravel(), *numpy(seen["samples"]).ravel()]
    assert values == pytest.approx([100 * 0.115, 200 * 0.24, 300 * 0.49, 400 * 0.99], abs=5)


def test_real_images_are_the_same_at_all_levels() -> None:
    images = DRAW.normal(size=(2, 4, 4, 3))
    levels = numpy(derive({"samples": ops.convert_to_tensor(images)})["levels"])
    assert (levels == np.tile(images, 3)).all()
    assert derive({"samples": ops.ones((2, 2))}) == {}


def test_penalties_are_of_a_real_image_at_all_levels_at_once_and_of_all_that_was_made() -> None:
    """The critic s + 2 (l1 + l2 + l3) at one pixel: 7^2 for a real image, 1 + 3 * 2^2 for four made ones."""

    def discriminate(fields: Any) -> Any:
        return ops.sum(fields["samples"], axis=(1, 2)) + 2 * ops.sum(fields["levels"], axis=(1, 2, 3))[:, None]

    fields = {"samples": ops.ones((2, 1, 1, 1)), "levels": ops.ones((2, 1, 1, 3))}
    found = gat.discriminator_penalty(fields, fields, discriminate, gradients, SMALL)
    assert number(found) == pytest.approx(0.1 / 2 * (49 + 13))


def test_each_image_of_the_generator_is_added_to_the_one_before() -> None:
    """Without the weights of the last three, all four images are the first."""
    model = generator(SHAPE, SMALL)
    latents = DRAW.normal(size=(2, 3)).astype("float32")
    images = [each for each in model.layers if isinstance(each, layers.PixelShuffle)]
    assert len(images) == 4
    outputs = model(latents, training=True)
    assert outputs["samples"].shape == (2, *SHAPE)
    assert outputs["levels"].shape == (2, 8, 12, 3)
    ends = [each for each in model.layers if isinstance(each, keras.layers.Dense) and each.units == 16]
    for each in ends[1:]:
        each.kernel.assign(ops.zeros_like(each.kernel))
    outputs = {name: numpy(each) for name, each in model(latents, training=True).items()}
    assert np.ptp(np.concatenate(list(outputs.values()), axis=3), axis=3).max() == 0
    assert np.ptp(outputs["samples"]) > 0


def test_rates_go_by_the_width() -> None:
    found = schedule(replace(recipe(), heads=12))
    assert {name: float(each) for name, each in found.items()} == pytest.approx(
        {"generator_learning_rate": 2e-4, "discriminator_learning_rate": 2e-4}
    )
    assert float(schedule(recipe())["generator_learning_rate"]) == pytest.approx(4e-4)


def test_gradients_longer_than_1_are_shortened() -> None:
    assert recipe().gradient_clip_norm == 1


def test_attention_by_hand_depends_on_how_far_apart_tokens_are() -> None:
    """One head of NumPy's; and a grid's scores are those of its differences."""
    layer = layers.RotaryAttention(1, (2, 3))
    tokens = DRAW.normal(size=(1, 7, 8)).astype("float32")
    layer.build(tokens.shape)
    mixed = np.split(numpy(layer.mixing(tokens))[0], 3, axis=1)
    queries, keys = (each / np.sqrt((each**2).mean(axis=1, keepdims=True) + 1e-6) for each in mixed[:2])
    turns = angles(2, 3, 8, 1)
    queries, keys = (rotated(each, turns) for each in (queries, keys))
    scores = np.exp(queries @ keys.T / 8**0.5)
    expected = (scores / scores.sum(axis=1, keepdims=True)) @ mixed[2]
    assert numpy(layer(tokens))[0] == pytest.approx(numpy(layer.joining(expected)), abs=1e-5)
    same = rotated(np.tile(DRAW.normal(size=(1, 8)), (6, 1)), angles(2, 3, 8, 0))
    products = same @ same.T
    assert products[0, 1] == pytest.approx(products[1, 2])  # a column to the right
    assert products[0, 3] == pytest.approx(products[2, 5])  # a row below
    assert products[0, 1] != pytest.approx(products[0, 2])


def rotated(vectors: np.ndarray, turns: np.ndarray) -> np.ndarray:
    """Pairs of channels as complex numbers."""
    found = (vectors[:, ::2] + 1j * vectors[:, 1::2]) * np.exp(1j * turns[:, ::2])
    return np.stack([found.real, found.imag], axis=2).reshape(vectors.shape)


def test_every_place_has_a_code_of_its_own() -> None:
    table = sines(3, 5, 8)
    assert len(np.unique(table.round(6), axis=0)) == 15
    assert table[0] == pytest.approx([0, 0, 1, 1, 0, 0, 1, 1])
    assert table[7, :4] == pytest.approx([np.sin(2), np.sin(0.02), np.cos(2), np.cos(0.02)])  # row 1, column 2


@pytest.mark.parametrize(
    ("shape", "settings", "said"),
    [
        ((2,), {}, "Plugin 'gat' makes images"),
        ((30, 28, 1), {}, "multiples of its patches of 4 pixels"),
        (SHAPE, {"transformer_blocks": 6}, "transformer_blocks must be a multiple of 4; received 6"),
        (SHAPE, {"head_size": 6}, "head_size must be a multiple of 4; received 6"),
    ],
)
def test_what_it_can_not_make_is_refused(shape: tuple[int, ...], settings: dict[str, int], said: str) -> None:
    with pytest.raises(ZooError, match=said):
        discriminator(shape, replace(SMALL, **settings))


def test_augmentations_of_one_level_are_refused() -> None:
    with pytest.raises(ZooError, match="four levels, of which 'ada' would change one"):
        check(SMALL, {"gat": gat, "rpgan": SimpleNamespace(), "ada": SimpleNamespace(augment=print)})
    check(SMALL, {"gat": gat, "rpgan": SimpleNamespace()})
