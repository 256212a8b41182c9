"""The paper's sizes, and what its parts promise."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import keras
import numpy as np
import pytest
from by_hand import weight_count
from keras import ops
from zoo_plugins.stylegan2 import Styles, discriminator, generator, latents, recipe, schedule

from zoo import ZooError
from zoo.training.trainer import Trainer

SMALL = replace(recipe(), width=8, latent_size=6, mapping_layers=2)


def numpy(tensor: Any) -> Any:
    return ops.convert_to_numpy(tensor)


def made(model: keras.Model, drawn: Any, psi: float = 1.0, training: bool = False) -> dict[str, Any]:
    given = {"latents": drawn, "truncation": np.full((len(drawn), 1), psi)}
    return {name: numpy(each) for name, each in model(given, training=training).items()}


def drawn(count: int = 4, seed: int = 0) -> Any:
    return np.random.default_rng(seed).normal(size=(count, SMALL.latent_size)).astype("float32")


def test_at_256_pixels_the_networks_have_as_many_weights_as_the_authors() -> None:
    """24,767,458 and 24,001,089, as the authors' code prints them for its half-width networks of 256 pixels."""
    assert weight_count(generator((256, 256, 3), recipe())) == 24_767_458
    assert weight_count(discriminator((256, 256, 3), recipe())) == 24_001_089


@pytest.mark.parametrize("shape", [(28, 28, 1), (32, 32, 3), (96, 48, 3), (64, 128, 3), (256, 256, 3)])
def test_it_builds_for_every_size(shape: tuple[int, ...]) -> None:
    model = generator(shape, replace(SMALL, width=2))
    assert model.output["samples"].shape[1:] == shape
    doublings = int(np.log2(min(shape[:2]) // 4))
    assert model.output["styles"].shape[1:] == (2 * doublings + 2, SMALL.latent_size)
    assert discriminator(shape, replace(SMALL, width=2)).output.shape == (None, 1)


def test_points_are_refused() -> None:
    with pytest.raises(ZooError, match="Plugin 'stylegan2' makes images"):
        generator((2,), SMALL)


@pytest.fixture(scope="module")
def model() -> keras.Model:
    keras.utils.set_random_seed(0)
    return generator((16, 16, 1), SMALL)


def test_at_a_truncation_of_nothing_all_latents_make_one_image(model: keras.Model) -> None:
    styles = model.get_layer("mixing")
    styles.mean.assign(np.arange(6) / 6)
    images = made(model, drawn(), psi=0.0)
    assert np.ptp(images["samples"], axis=0).max() < 1e-5
    assert images["styles"][0, 0] == pytest.approx(np.arange(6) / 6)
    full, half = (made(model, drawn(), psi)["styles"] for psi in (1.0, 0.5))
    assert half == pytest.approx((full + images["styles"]) / 2, abs=1e-6)


def test_latents_are_normalized_and_samples_are_limited_in_inference_alone(model: keras.Model) -> None:
    once, scaled = (made(model, factor * drawn())["samples"] for factor in (1, 3))
    assert once == pytest.approx(scaled, abs=1e-5)
    synthesis = model.get_layer("synthesis")
    styles = 50 * np.random.default_rng(0).normal(size=(4, 6, 6)).astype("float32")
    assert np.abs(numpy(synthesis(styles, training=False))).max() == 1
    assert np.abs(numpy(synthesis(styles, training=True))).max() > 1


def test_without_noises_strength_an_image_is_its_styles_and_with_it_noise_moves_every_pixel(
    model: keras.Model,
) -> None:
    synthesis = model.get_layer("synthesis")
    styles = made(model, drawn())["styles"]
    one, other = (numpy(synthesis(styles, training=True)) for _ in range(2))
    assert np.array_equal(one, other)
    strengths = [each for each in model.trainable_variables if each.name == "strength"]
    assert len(strengths) == 5  # a convolution at 4 pixels, two at 8 and 16
    strengths[-1].assign(0.5)
    one, other = (numpy(synthesis(styles, training=True)) for _ in range(2))
    strengths[-1].assign(0.0)
    assert (one != other).all()


def test_each_style_changes_its_own_sizes_alone(model: keras.Model) -> None:
    """The last row is that of the last RGB, linear in it; the first that of the convolution at 4 pixels."""
    synthesis = model.get_layer("synthesis")
    styles = made(model, drawn(1))["styles"]
    images = []
    for change in (0, 1, 2):
        moved = styles.copy()
        moved[:, -1] += change
        images.append(numpy(synthesis(moved, training=True)))
    assert images[2] - images[1] == pytest.approx(images[1] - images[0], abs=1e-4)
    assert np.abs(images[1] - images[0]).max() > 1e-3


def test_in_training_samples_mix_two_styles_from_a_random_row_on_and_the_mean_moves() -> None:
    layer = Styles(rows=5, probability=0.75, decay=0.9)
    first, other = np.tile([1.0, 3.0], (4000, 1)), np.full((4000, 2), -1.0)
    found = numpy(layer([first, other, np.ones((4000, 1))], training=True))
    assert numpy(layer.mean) == pytest.approx([0.1, 0.3], rel=1e-5)
    mixed = (found[:, :, 0] < 0).sum(axis=1)  # rows with the other
    shares = np.bincount(mixed, minlength=5) / 4000
    assert shares == pytest.approx([0.25, *[0.75 / 4] * 4], abs=0.03)
    assert (np.diff(found[:, :, 0], axis=1) <= 0).all()  # the other from one row on
    assert (numpy(Styles(5, probability=0.0)([first, other, np.ones((4000, 1))], training=True)) > 0).all()


def test_activations_keep_a_mean_square_of_one_through_the_mapping() -> None:
    mapping = generator((16, 16, 1), replace(SMALL, latent_size=256, mapping_layers=4)).get_layer("mapping")
    outputs = numpy(mapping(np.random.default_rng(0).normal(size=(64, 256))))
    assert np.square(outputs).mean() == pytest.approx(1, rel=0.25)


def test_truncation_is_of_styles_not_of_latents() -> None:
    found = numpy(latents(4000, keras.random.SeedGenerator(0), SMALL))
    assert found.std() == pytest.approx(1, abs=0.02)
    assert np.abs(found).max() > 3


@pytest.mark.parametrize(("seen", "half_life"), [(32, 1.6), (100_000, 5000), (10**6, 10_000)])
def test_the_averages_half_life_grows_with_the_images_seen(seen: int, half_life: float) -> None:
    decay = float(schedule(ops.convert_to_tensor(seen), recipe())["average_decay"])
    assert decay == pytest.approx(0.5 ** (32 / half_life), rel=1e-5)


@pytest.mark.long
def test_lazy_r1_is_sixteen_times_the_penalty_in_every_sixteenth_update(
    tiny_dataset: Callable, make_stack: Callable
) -> None:
    assert make_stack("stylegan2", tiny=False).recipe.r1_interval == 16
    penalties = {}
    for interval in (1, 16):
        stack = make_stack("stylegan2", f"r1_interval={interval}", "r1_gamma=2", "mapping_layers=1")
        trainer = Trainer(stack, tiny_dataset())
        penalties[interval] = trainer.update("discriminator", 0, trainer.feed.batch(0))["discriminator_penalty/r1"]
    assert penalties[16] == pytest.approx(16 * penalties[1], rel=1e-4)


def test_path_lengths_are_measured_on_its_styles(
    tiny_dataset: Callable, make_stack: Callable, eager_terms: Callable
) -> None:
    from zoo_plugins.path_length import path_lengths

    trainer = Trainer(make_stack("stylegan2+path_length", "mapping_layers=1"), tiny_dataset())
    terms = eager_terms(trainer, "generator")
    noise = np.ones((4, 16, 16, 1), "float32")
    lengths = [
        numpy(path_lengths(terms.latents, each, terms.generator, terms.generate, terms.gradients, terms.fields))
        for each in (noise, 2 * noise)
    ]
    assert lengths[0].shape == (4,)
    assert (lengths[0] > 1e-4).all()
    assert np.isfinite(lengths).all()
