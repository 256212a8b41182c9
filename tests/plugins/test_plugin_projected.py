"""What is frozen, how large maps and logits are, and the generator's gates."""

from dataclasses import replace
from typing import Any

import keras
import numpy as np
import pytest
from keras import ops
from zoo_plugins.projected import discriminator, generator, mixed, recipe

from zoo import ZooError, layers
from zoo.layers.excited import excited

SMALL = replace(recipe(), width=4, discriminator_width=2, feature_size=32, latent_size=3)


def numpy(tensor: Any) -> Any:
    return ops.convert_to_numpy(tensor)


@pytest.fixture(scope="module")
def judge() -> keras.Model:
    return discriminator((16, 16, 1), SMALL)


def test_nothing_of_the_feature_network_and_the_projections_is_trained(judge: keras.Model) -> None:
    """8 random convolutions stay; the judges have 4 + 3 + 2 + 1 blocks, each with a convolution and a normalization."""
    trained = {id(each) for each in judge.trainable_variables}
    frozen = [each for each in judge.layers if isinstance(each, keras.layers.Conv2D)]
    assert len(frozen) == 8
    network = judge.get_layer("features_network")
    assert not trained & {id(each) for layer in (*frozen, network) for each in layer.variables}
    assert len(judge.trainable_variables) == 10 * 4 + 4


def test_samples_have_a_gradient_through_what_is_frozen(judge: keras.Model) -> None:
    import tensorflow as tf

    samples = tf.Variable(np.random.default_rng(0).uniform(-1, 1, (2, 16, 16, 1)).astype("float32"))
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(judge(samples))
    assert np.abs(numpy(tape.gradient(total, samples))).max() > 0


def test_at_224_pixels_maps_and_logits_are_the_papers() -> None:
    maps = [keras.Input((side, side, count)) for side, count in ((56, 24), (28, 40), (14, 112), (7, 320))]
    assert [each.shape[1:] for each in mixed(maps, 64)] == [(112, 112, 64), (56, 56, 64), (28, 28, 128), (14, 14, 256)]
    model = discriminator((28, 28, 1), replace(SMALL, feature_size=224))
    assert model.output.shape == (None, 4 * 4 * 4)


def test_doubling_keeps_corners_and_constants() -> None:
    matrix = layers.AlignedUpsample().matrix(5)
    assert matrix.sum(axis=1) == pytest.approx(np.ones(10))
    assert (matrix[0] == np.eye(5)[0]).all()
    assert matrix[-1] == pytest.approx(np.eye(5)[-1])
    assert matrix @ np.arange(5) == pytest.approx(np.linspace(0, 4, 10))  # linear


@pytest.mark.parametrize("shape", [(28, 28, 1), (48, 48, 3), (64, 128, 3), (256, 256, 3)])
def test_the_generator_builds_for_every_size_with_the_papers_widths(shape: tuple[int, ...]) -> None:
    model = generator(shape, SMALL)
    assert model.output.shape[1:] == shape
    multiples = (16, 8, 4, 2, 2, 1, 0.5)
    doubled = [each for each in model.layers if isinstance(each, keras.layers.UpSampling2D)]
    assert [each.input.shape[-1] for each in doubled] == [int(4 * each) for each in multiples[: len(doubled)]]


def test_a_small_map_of_zeros_halves_every_channel_of_a_large_one() -> None:
    small, large = keras.Input((4, 4, 3)), keras.Input((8, 8, 2))
    values = np.random.default_rng(0).normal(size=(2, 8, 8, 2)).astype("float32")
    found = keras.Model([small, large], excited(large, small, (4, 4)))([np.zeros((2, 4, 4, 3)), values])
    assert numpy(found) == pytest.approx(values / 2)


@pytest.mark.parametrize("size", [0, 100])
def test_a_size_that_the_feature_network_does_not_halve_is_refused(size: int) -> None:
    with pytest.raises(ZooError, match=f"feature_size must be a multiple of 32; received {size}"):
        discriminator((16, 16, 1), replace(SMALL, feature_size=size))


def test_points_are_refused() -> None:
    with pytest.raises(ZooError, match="Plugin 'projected' makes images"):
        generator((2,), SMALL)
