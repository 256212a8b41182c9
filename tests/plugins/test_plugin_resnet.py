"""The papers' sizes and numbers of weights, and what a block computes."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from by_hand import weight_count
from keras import ops
from zoo_plugins.resnet import discriminator, generator, recipe

from zoo import ZooError, layers, networks


def spectral(width: int) -> Any:
    from dataclasses import replace

    return replace(recipe(), discriminator_normalization="spectral", width=width)


def test_at_the_papers_width_and_size_the_networks_have_the_papers_weights() -> None:
    """3 blocks of 256, 4 of 128: a convolution has 9 C F + F weights, a batch normalization 2 C."""
    block = 2 * 512 + 2 * (9 * 256**2 + 256) + 256**2 + 256
    made = generator((32, 32, 3), spectral(64))
    assert weight_count(made) == 128 * 4096 + 4096 + 3 * block + 512 + 9 * 256 * 3 + 3 == 4_276_739
    wide = 2 * (9 * 128**2 + 128)
    first = 9 * 3 * 128 + 128 + wide // 2 + 3 * 128 + 128
    assert weight_count(discriminator((32, 32, 3), spectral(64))) == first + wide + 128**2 + 128 + 2 * wide + 128


@pytest.mark.parametrize(
    ("shape", "maps", "halved"),
    [
        ((16, 16, 1), [(4, 4, 8), (8, 8, 8), (16, 16, 8)], [4, 4, 4, 4]),
        ((28, 28, 1), [(7, 7, 8), (14, 14, 8), (28, 28, 8)], [4, 4, 4, 4]),
        ((48, 48, 3), [(6, 6, 16), (12, 12, 8), (24, 24, 4), (48, 48, 2)], [2, 4, 8, 16]),
        ((64, 64, 3), [(4, 4, 32), (8, 8, 16), (16, 16, 8), (32, 32, 4), (64, 64, 2)], [2, 4, 8, 16, 32]),
        ((64, 128, 3), [(4, 8, 32), (8, 16, 16), (16, 32, 8), (32, 64, 4), (64, 128, 2)], [2, 4, 8, 16, 32]),
        (
            (128, 128, 3),
            [(4, 4, 32), (8, 8, 32), (16, 16, 16), (32, 32, 8), (64, 64, 4), (128, 128, 2)],
            [2, 4, 8, 16, 32, 32],
        ),
    ],
)
def test_widths_are_the_papers_at_every_size(
    shape: tuple[int, ...], maps: list[tuple[int, ...]], halved: list[int]
) -> None:
    made = generator(shape, spectral(2))
    assert made.output.shape[1:] == shape
    sums = [each.output.shape[1:] for each in made.layers if isinstance(each, keras.layers.Add)]
    (first,) = [each.output.shape[1:] for each in made.layers if isinstance(each, keras.layers.Reshape)]
    assert [first, *sums] == maps
    judge = discriminator(shape, spectral(2))
    assert [each.output.shape[-1] for each in judge.layers if isinstance(each, keras.layers.Add)] == halved
    assert judge.output.shape == (None, 1)


@pytest.mark.parametrize("shape", [(2,), (40, 60, 1), (8, 8, 3), (36, 36, 3), (64, 100, 1), (2048, 2048, 3)])
def test_other_shapes_are_refused_with_those_that_are_made(shape: tuple[int, ...]) -> None:
    with pytest.raises(
        ZooError, match=r"Plugin 'resnet' makes images .* 28, 32, 48.*for points a variant that makes them"
    ):
        generator(shape, recipe())


def test_a_map_is_the_smallest_of_four_pixels_or_more() -> None:
    expected = {(32, 32, 3): (4, 4, 3), (28, 28, 1): (7, 7, 2), (96, 48, 3): (12, 6, 3), (64, 256, 3): (4, 16, 4)}
    assert {shape: networks.smallest_map("it", shape) for shape in expected} == expected


def test_every_layer_of_a_spectral_discriminator_is_normalized_and_features_are_sums() -> None:
    judge = discriminator((16, 16, 1), spectral(2))
    kinds = [type(each).__name__ for each in judge.layers]
    assert kinds.count("SpectralNormalization") == 4 * 2 + 2 + 1
    assert not {"Conv2D", "Dense"} & set(kinds)
    features = judge.get_layer("features")
    before = keras.Model(judge.input, features.input)
    answer = keras.Model(judge.input, features.output)
    samples = np.random.default_rng(0).normal(size=(2, 16, 16, 1)).astype("float32")
    last = [each.output for each in judge.layers if isinstance(each, keras.layers.ReLU)][-1]
    total = ops.sum(keras.Model(judge.input, last)(samples), axis=(1, 2))
    assert np.allclose(answer(samples), total, rtol=1e-4)
    assert np.allclose(before(samples), total / 16, rtol=1e-4)


def test_a_block_whose_convolutions_are_zero_is_the_way_beside_it() -> None:
    """A copy where size and channels stay; resampled and mapped where not, in either order of the two."""
    x = keras.Input((4, 4, 3))

    def convolution(filters: int, size: int, gain: float) -> keras.layers.Conv2D:
        del gain
        kind = keras.initializers.Constant(2.0) if size == 1 else "zeros"
        return keras.layers.Conv2D(filters, size, padding="same", kernel_initializer=kind)

    images = np.random.default_rng(0).normal(size=(2, 4, 4, 3)).astype("float32")
    found = {}
    for resampling, filters in (("none", 3), ("none", 5), ("up", 3), ("down", 3)):
        y = layers.residual_block(x, filters, convolution, keras.layers.ReLU(), resampling)  # type: ignore[arg-type]
        found[resampling, filters] = ops.convert_to_numpy(keras.Model(x, y)(images))
    assert np.array_equal(found["none", 3], images)
    mapped = np.repeat(2 * images.sum(axis=-1, keepdims=True), 3, axis=-1)
    assert found["none", 5] == pytest.approx(np.repeat(mapped[..., :1], 5, axis=-1), abs=1e-5)
    assert found["up", 3] == pytest.approx(mapped.repeat(2, axis=1).repeat(2, axis=2), abs=1e-5)
    assert found["down", 3] == pytest.approx(mapped.reshape(2, 2, 2, 2, 2, 3).mean(axis=(2, 4)), abs=1e-5)


def test_weights_begin_as_glorots_with_the_gain_of_their_place() -> None:
    made = generator((32, 32, 3), spectral(16))
    kernels = [ops.convert_to_numpy(each.kernel) for each in made.layers if isinstance(each, keras.layers.Conv2D)]
    for kernel in kernels:
        area = kernel.shape[0] ** 2
        gain = 2 if area == 9 and kernel.shape[-1] > 3 else 1  # squared
        assert kernel.var() == pytest.approx(gain * 2 / (area * sum(kernel.shape[2:])), rel=0.1)


@pytest.mark.parametrize("kind", ["layer", "none"])
def test_it_is_a_wasserstein_critic_without_batch_statistics(kind: str, make_stack: Callable) -> None:
    stack = make_stack("resnet+wgan_gp", f"discriminator_normalization={kind}")
    judge = discriminator((16, 16, 1), stack.recipe)
    found = [type(each).__name__ for each in judge.layers]
    assert ("LayerNormalization" in found) == (kind == "layer")
    assert judge.get_layer("features").scale == 1  # a mean
