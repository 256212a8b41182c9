"""How many weights R3GAN's networks have, what they are at the start, and the sizes they take."""

from dataclasses import replace
from math import prod

import keras
import numpy as np
import pytest
from by_hand import weight_count
from keras import ops
from zoo_plugins.resnext import discriminator, generator, groups, recipe

from zoo import ZooError, layers

SMALL = replace(recipe(), width=8, residual_blocks=1, latent_size=5)


def test_the_papers_networks_of_32_pixels_have_as_many_weights_as_by_hand() -> None:
    """Stages of 4, 8, 16 and 32 pixels, two blocks of 768, 1536 and 768 channels each, 96 groups of 16."""
    wide = 2 * 768
    block = 768 * wide + wide + 9 * 16 * wide + wide + wide * 768
    outside = 4 * 4 * 768 + 768 * 3  # the learned map, and the convolution to or from RGB
    assert weight_count(generator((32, 32, 3), recipe())) == 8 * block + outside + 64 * 768
    assert weight_count(discriminator((32, 32, 3), recipe())) == 8 * block + outside + 768
    assert groups(wide) == 96


def test_at_the_start_every_block_is_the_identity_so_that_an_image_is_linear_in_its_latents() -> None:
    model = generator((28, 28, 1), SMALL)
    drawn = np.random.default_rng(0).normal(size=(2, 5)).astype("float32")
    first, second = ops.convert_to_numpy(model(drawn, training=True))
    (mixed,) = ops.convert_to_numpy(model(2 * drawn[:1] - 3 * drawn[1:], training=True))
    assert mixed == pytest.approx(2 * first - 3 * second, abs=1e-4)
    assert np.abs(ops.convert_to_numpy(model(100 * drawn))).max() == 1  # samples are limited, in inference alone


def test_first_weights_keep_variances_in_blocks_scaled_by_their_number() -> None:
    """sqrt(2 / (1 + .2^2)) L^(-1/4) / sqrt(inputs), of L = 4 blocks."""
    model = discriminator((28, 28, 1), replace(SMALL, width=64, residual_blocks=2))  # 3 sizes, 6 blocks
    kernels = [each.kernel for each in model.layers if isinstance(each, keras.layers.Conv2D) and each.use_bias]
    for kernel in kernels[:2]:
        fan = prod(kernel.shape[:3])
        expected = (2 / 1.04) ** 0.5 * 6**-0.25 / fan**0.5
        assert ops.convert_to_numpy(kernel).std() == pytest.approx(expected, rel=0.05)
    assert [each.shape[2:] for each in kernels[:2]] == [(64, 128), (16, 128)]


def test_logits_weigh_every_position_of_the_last_map_by_channel() -> None:
    model = discriminator((16, 16, 1), SMALL)
    learned = next(each for each in model.layers if isinstance(each, layers.LearnedMap))
    read = keras.Model(model.input, [learned.input, model.get_layer("features").output])
    images = np.random.default_rng(0).normal(size=(2, 16, 16, 1))
    last, features = (ops.convert_to_numpy(each) for each in read(images))
    assert last.shape == (2, 4, 4, 8)
    expected = (last * ops.convert_to_numpy(learned.map)).sum(axis=(1, 2))
    assert features == pytest.approx(expected, rel=1e-4, abs=1e-5)


@pytest.mark.parametrize(("shape", "widths"), [((28, 28, 1), {8}), ((64, 64, 3), {8, 4}), ((32, 64, 3), {8})])
def test_it_builds_for_every_size_and_narrows_above_32_pixels(shape: tuple[int, ...], widths: set[int]) -> None:
    model = generator(shape, SMALL)
    assert model.output.shape[1:] == shape
    assert {each.output.shape[-1] for each in model.layers if isinstance(each, keras.layers.Add)} == widths
    assert discriminator(shape, SMALL).output.shape == (None, 1)


def test_points_are_refused() -> None:
    with pytest.raises(ZooError, match="Plugin 'resnext' makes images"):
        generator((2,), SMALL)


@pytest.mark.parametrize(("channels", "count"), [(4, 1), (32, 2), (40, 2), (50, 2), (72, 4)])
def test_groups_divide_the_channels(channels: int, count: int) -> None:
    assert groups(channels) == count


def test_grouped_convolutions_are_keras_own() -> None:
    images = np.random.default_rng(0).normal(size=(2, 6, 5, 4)).astype("float32")
    settings = {"groups": 2, "strides": 2, "padding": "same", "activation": "tanh"}
    ours, theirs = layers.GroupedConv2D(6, 3, **settings), keras.layers.Conv2D(6, 3, **settings)
    for each in (ours, theirs):
        each.build(images.shape)
    ours.set_weights([np.random.default_rng(1).normal(size=each.shape) for each in ours.weights])
    theirs.set_weights(ours.get_weights())
    assert ops.convert_to_numpy(ours(images)) == pytest.approx(ops.convert_to_numpy(theirs(images)), abs=1e-5)
