"""The energy is the error of a reconstruction; the margin's optimum; the pulling-away term; the sizes of images."""

from collections.abc import Callable

import keras
import numpy as np
import pytest
from by_hand import column, number, rows
from keras import ops
from zoo_plugins.ebgan import EbganRecipe, discriminator, discriminator_loss, generator_loss, generator_penalty

from zoo import ZooError
from zoo.training.trainer import Trainer

RECIPE = EbganRecipe(ebgan_margin=3.0, autoencoder_width=2, autoencoder_code=5)


def test_logits_are_minus_the_norm_of_the_error() -> None:
    model = discriminator((28, 28, 1), RECIPE)
    images = np.random.default_rng(0).normal(size=(3, 28, 28, 1)).astype("float32")
    made = {name: ops.convert_to_numpy(each) for name, each in model(images).items()}
    norms = np.linalg.norm((made["reconstruction"] - images).reshape(3, -1), axis=1)
    assert made["logits"][:, 0] == pytest.approx(-norms, rel=1e-5)
    assert made["code"].shape == (3, 5)


@pytest.mark.parametrize(
    ("shape", "smallest"), [((28, 28, 1), 7), ((32, 32, 3), 8), ((64, 128, 3), 8), ((48, 48, 1), 6)]
)
def test_images_are_halved_until_they_have_eight_pixels_or_are_odd(shape: tuple[int, ...], smallest: int) -> None:
    maps = [
        layer.output.shape for layer in discriminator(shape, RECIPE).layers if isinstance(layer, keras.layers.Conv2D)
    ]
    assert min(each[1] for each in maps) == smallest
    assert maps[-1][1:] == shape


@pytest.mark.parametrize("shape", [(2,), (27, 27, 1), (8, 8, 3)])
def test_what_can_not_be_halved_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ZooError, match="takes images whose sides can be halved"):
        discriminator(shape, RECIPE)


def test_the_best_energy_is_the_margin_where_generated_samples_are_more_frequent() -> None:
    real, fake = np.array([2, 5, 1]), np.array([4, 1, 3])  # how often each of three values occurs in eight samples

    def loss(energies: np.ndarray) -> float:
        pairs = (column(*-np.repeat(energies, each)) for each in (real, fake))
        return number(discriminator_loss(*pairs, RECIPE))

    best = np.where(fake > real, 3.0, 0.0)
    assert loss(best) == pytest.approx(3.0 * np.minimum(real, fake).sum() / 8)
    others = np.random.default_rng(0).uniform(0, 6, size=(40, 3))
    assert min(loss(each) for each in others) >= loss(best)
    assert number(generator_loss(column(-2.0, -4.0))) == 3  # the mean energy


def test_codes_pull_away_from_one_another() -> None:
    def term(codes: list[list[float]]) -> float:
        return number(generator_penalty({"code": rows(codes)}, RECIPE)) / RECIPE.ebgan_pulling_away

    assert term([[1, 0, 0], [0, 3, 0], [0, 0, 2]]) == pytest.approx(0, abs=1e-6)
    assert term([[1, 2, 3]] * 4) == pytest.approx(1, rel=1e-5)
    assert term([[1, 0], [-1, 1]]) == pytest.approx(0.5, rel=1e-5)  # the cosine's square, of either sign


def test_the_gradient_has_a_part_through_the_reconstruction_and_one_through_the_image(
    tiny_dataset: Callable, make_stack: Callable, eager_terms: Callable
) -> None:
    """Of a decoder that makes zeros, the energy is |x|, whose gradient is x / |x|."""
    terms = eager_terms(Trainer(make_stack("dcgan+ebgan"), tiny_dataset((16, 16, 1))), "generator")
    last = terms.discriminator.layers[
        [type(each).__name__ for each in terms.discriminator.layers].index("Subtract") - 1
    ]
    for weight in last.weights:
        weight.assign(ops.zeros_like(weight))
    images = terms.fake_samples
    slope = ops.convert_to_numpy(terms.gradients(lambda each: -terms.discriminate(each), images))
    expected = (
        ops.convert_to_numpy(images)
        / np.linalg.norm(ops.convert_to_numpy(images).reshape(4, -1), axis=1)[:, None, None, None]
    )
    assert slope == pytest.approx(expected, rel=1e-4, abs=1e-6)
