"""Equalized learning rates, modulated convolutions, noise and attention, against loops in NumPy."""

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops
from plain_numpy import convolved, convolved_transposed, drawn, numpy, upfirdn

from zoo import ZooError, backend, layers
from zoo.backend.contract import GradientTask
from zoo.layers.attention import maxima

TAPS = (1, 3, 3, 1)


def gradients(layer: keras.Layer, given: Any, weights: list[keras.Variable]) -> list[Any]:
    """Of the sum of squares of what the layer gives, by the weights."""

    def loss() -> tuple[Any, tuple[()]]:
        return ops.sum(ops.square(layer(given))), ()

    task = GradientTask(weights, layer.non_trainable_variables, batch_size=1)
    return [numpy(each) for each in backend.engine().player_gradients(loss, task)[1]]


def test_an_equalized_kernel_is_scaled_when_it_is_used() -> None:
    layer = layers.EqualizedDense(1, gain=3.0, rate_multiplier=0.5)
    layer.build((None, 4))
    layer.kernel.assign(np.ones((4, 1)))
    layer.bias.assign([8.0])
    assert numpy(layer(np.array([[1.0, 2.0, 3.0, 4.0]]))).item() == pytest.approx(10 * 3 * 0.5 / 2 + 8 * 0.5)


def test_a_rate_multiplier_changes_how_weights_are_kept_and_not_what_is_computed() -> None:
    layer = layers.EqualizedDense(200, rate_multiplier=0.01, initial_bias=1.0)
    outputs = numpy(layer(np.random.default_rng(0).normal(size=(50, 100))))
    assert numpy(layer.kernel).std() == pytest.approx(100, rel=0.05)
    assert outputs.mean() == pytest.approx(1, abs=0.1)
    assert outputs.std() == pytest.approx(1, rel=0.1)


def test_a_step_of_the_kernel_counts_less_the_more_inputs_there_are() -> None:
    """With Adam every weight moves alike; equalized, the function then does too: rates are the same in all layers."""
    slopes = []
    for inputs in (4, 400):
        layer = layers.EqualizedConv2D(2, kernel_size=1)
        given = np.ones((1, 1, 1, inputs), "float32")
        layer(given)
        slopes.append(abs(gradients(layer, given, [layer.kernel])[0]).max() / abs(numpy(layer(given))).max())
    assert slopes[0] / slopes[1] == pytest.approx(10, rel=1e-4)


def test_activations_keep_their_size_through_the_depth_of_an_equalized_network() -> None:
    """With ProGAN's gain, sqrt(2), before each ReLU."""
    keras.utils.set_random_seed(0)
    values = np.random.default_rng(0).normal(size=(100, 256))
    for _ in range(6):
        values = ops.relu(layers.EqualizedDense(256, gain=2**0.5)(values))
        assert np.mean(numpy(values) ** 2) == pytest.approx(1, rel=0.2)


@pytest.mark.parametrize("size", [1, 3, 5])
@pytest.mark.parametrize("taps", [TAPS, (1, 2, 1)])
def test_a_convolution_that_halves_blurs_first(size: int, taps: tuple[int, ...]) -> None:
    images = drawn(2, 6, 8, 3)
    layer = layers.EqualizedConv2D(4, size, resampling="down", taps=taps, use_bias=False)
    outputs = numpy(layer(images))
    half, width = size // 2, len(taps)
    blurred = upfirdn(images, taps, 1, 1, (half + (width - 1) // 2, half + (width - 2) // 2))
    expected = convolved(blurred, numpy(layer.kernel) / (size * 3**0.5), stride=2)
    assert outputs == pytest.approx(expected, abs=1e-4)
    assert outputs.shape == (2, 3, 4, 4)


@pytest.mark.parametrize("taps", [TAPS, (1, 2, 1)])
def test_a_convolution_that_doubles_blurs_afterwards(taps: tuple[int, ...]) -> None:
    images = drawn(2, 3, 4, 3)
    layer = layers.EqualizedConv2D(4, 3, resampling="up", taps=taps, use_bias=False)
    outputs = numpy(layer(images))
    spread = convolved_transposed(images, numpy(layer.kernel) / 27**0.5)
    before = {4: 1, 3: 1}[len(taps)]  # NVIDIA's: 1 + (width + 1) // 2 - 2
    after = {4: 1, 3: 0}[len(taps)]  # 1 + (width - 2) // 2 - 1
    assert outputs == pytest.approx(upfirdn(spread, taps, 1, 1, (before, after), gain=4), abs=1e-4)
    assert outputs.shape == (2, 6, 8, 4)


def test_a_one_by_one_convolution_that_doubles_is_one_that_is_upsampled() -> None:
    images = drawn(2, 3, 4, 3)
    layer = layers.EqualizedConv2D(4, 1, resampling="up", use_bias=False)
    plain = layers.EqualizedConv2D(4, 1, use_bias=False)
    layer.build(images.shape)
    plain.build(images.shape)
    plain.kernel.assign(layer.kernel)
    assert numpy(layer(images)) == pytest.approx(numpy(layers.Upsample()(plain(images))), abs=1e-5)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"resampling": "upp"}, r"^Unknown resampling: 'upp'. Did you mean 'up'\? Available: down, none, up."),
        ({"resampling": "up", "kernel_size": 4}, r"needs an odd kernel_size; received 4: try 3"),
        ({"kernel_size": 0}, r"needs a kernel_size of 1 or more; received 0"),
    ],
)
def test_convolutions_that_there_are_not_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ZooError, match=message):
        layers.EqualizedConv2D(3, **settings)


@pytest.mark.parametrize("demodulate", [True, False])
@pytest.mark.parametrize("resampling", ["none", "up", "down"])
def test_each_sample_is_convolved_by_a_kernel_of_its_own(demodulate: bool, resampling: str) -> None:
    images, latents = drawn(3, 4, 4, 2), drawn(3, 5, seed=1)
    layer = layers.ModulatedConv2D(4, demodulate=demodulate, resampling=resampling)
    outputs = numpy(layer([images, latents]))
    styles = latents @ numpy(layer.style.kernel) / 5**0.5 + 1
    plain = layers.EqualizedConv2D(4, resampling=resampling, use_bias=False)
    plain.build(images.shape)
    for image, style, output in zip(images, styles, outputs, strict=True):
        kernel = style[:, None] * numpy(layer.kernel)  # (3, 3, C, F)
        if demodulate:
            kernel = kernel / np.sqrt((kernel**2).sum(axis=(0, 1, 2))) * 18**0.5  # which the layer divides by
        plain.kernel.assign(kernel)
        assert output == pytest.approx(numpy(plain(image[None]))[0], rel=1e-3, abs=1e-4)


def test_scaled_styles_give_the_same_image_and_the_outputs_unit_variance() -> None:
    images, latents = np.random.default_rng(0).normal(size=(4, 16, 16, 32)), drawn(4, 5, seed=1)
    layer = layers.ModulatedConv2D(64)
    layer.build([images.shape, latents.shape])
    once = numpy(layer([images, latents]))
    assert once[:, 1:-1, 1:-1].var(axis=(1, 2)).mean() == pytest.approx(1, rel=0.05)
    layer.style.kernel.assign(7.0 * layer.style.kernel)
    layer.style.bias.assign(7.0 * layer.style.bias)
    assert numpy(layer([images, latents])) == pytest.approx(once, abs=1e-4)


def test_at_the_start_noise_changes_nothing_and_its_strength_can_learn() -> None:
    images = drawn(2, 3, 4, 5)
    layer = layers.NoiseInjection(seed=0)
    assert (numpy(layer(images)) == images).all()
    assert gradients(layer, images, [layer.strength])[0] != 0


def test_noise_is_one_image_for_all_channels_and_another_in_each_sample_and_call() -> None:
    images = np.zeros((20, 16, 16, 3), "float32")
    layer = layers.NoiseInjection(seed=0)
    layer.build(images.shape)
    layer.strength.assign(2.0)
    first, second = numpy(layer(images)), numpy(layer(images, training=False))
    assert (first[..., :1] == first).all()
    assert first.std() == pytest.approx(2, rel=0.05)
    for one, other in ((first, second), (first[:1], first[1:2])):
        assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 0.1


def test_noise_that_is_given_is_added_and_draws_nothing() -> None:
    images, noise = drawn(2, 3, 4, 5), drawn(1, 3, 4, 1, seed=1)
    layer = layers.NoiseInjection(seed=0)
    layer.build(images.shape)
    layer.strength.assign(0.5)
    before = numpy(layer.seed_generator.state)
    assert numpy(layer(images, noise=noise)) == pytest.approx(images + 0.5 * noise, rel=1e-6)
    assert (numpy(layer.seed_generator.state) == before).all()


def attended(images: Any, layer: layers.SelfAttention, pooling: bool) -> Any:
    """Attention by loops over samples and positions."""
    query, key, value, output = (
        numpy(each.kernel)[0, 0] for each in (layer.query, layer.key, layer.value, layer.output_convolution)
    )
    count, height, width, _ = images.shape

    def pooled(features: Any) -> Any:
        if not pooling:
            return features
        rows, columns = height // 2, width // 2
        cut = features[: 2 * rows, : 2 * columns]
        return cut.reshape(rows, 2, columns, 2, -1).max(axis=(1, 3))

    found = np.zeros_like(images)
    for sample in range(count):
        keys = pooled(images[sample] @ key).reshape(-1, key.shape[1])
        values = pooled(images[sample] @ value).reshape(-1, value.shape[1])
        for row, column in np.ndindex(height, width):
            scores = np.exp(keys @ (images[sample, row, column] @ query))
            found[sample, row, column] = (scores / scores.sum()) @ values @ output
    return images + numpy(layer.gamma) * found


@pytest.mark.parametrize("pooling", [True, False])
def test_attention_is_a_softmax_over_the_keys(pooling: bool) -> None:
    images = drawn(2, 5, 4, 16) / 4
    layer = layers.SelfAttention(pooling=pooling)
    layer.build(images.shape)
    layer.gamma.assign(0.7)
    outputs = numpy(layer(images))
    assert outputs == pytest.approx(attended(images, layer, pooling), abs=1e-5)
    assert abs(outputs - images).max() > 0.05


def test_attention_starts_as_the_identity_in_which_its_share_alone_can_learn() -> None:
    images = drawn(2, 4, 4, 8)
    layer = layers.SelfAttention()
    assert (numpy(layer(images)) == images).all()
    *convolutions, share = gradients(layer, images, [*layer.trainable_variables[:-1], layer.gamma])
    assert len(convolutions) == 4
    assert all((each == 0).all() for each in convolutions)
    assert share != 0


def test_permuted_positions_give_permuted_outputs_where_none_are_pooled() -> None:
    images = drawn(1, 3, 4, 8)
    layer = layers.SelfAttention(pooling=False)
    layer.build(images.shape)
    layer.gamma.assign(1.0)
    order = np.random.default_rng(0).permutation(12)
    moved = images.reshape(1, 12, 8)[:, order].reshape(images.shape)
    expected = numpy(layer(images)).reshape(1, 12, 8)[:, order].reshape(images.shape)
    assert numpy(layer(moved)) == pytest.approx(expected, abs=1e-4)


def test_spectral_attention_normalizes_its_four_convolutions() -> None:
    layer = layers.SelfAttention(spectral=True)
    layer(drawn(1, 4, 4, 8))
    wrapped = [each for each in layer._flatten_layers() if isinstance(each, layers.SpectralNormalization)]
    assert len(wrapped) == 4
    assert len(layer.trainable_variables) == 5  # and gamma, which is not normalized


def test_pooled_maxima_have_the_second_order_gradient_of_a_graph_under_xla_too() -> None:
    """TensorFlow's own max pooling is off by 2e-4 here: its XLA kernel compares values in bfloat16."""
    draw = np.random.default_rng(0)
    samples, weights = (tf.constant(draw.normal(size=(16, 32, 32, 8)), "float32") for _ in range(2))

    def curvature(samples: Any) -> Any:
        with tf.GradientTape() as outer:
            outer.watch(samples)
            with tf.GradientTape() as inner:
                inner.watch(samples)
                total = tf.reduce_sum(maxima(ops.sin(samples) * weights) ** 3)
            penalty = tf.reduce_sum(inner.gradient(total, samples) ** 2)
        return outer.gradient(penalty, samples)

    graph, compiled = (numpy(tf.function(curvature, jit_compile=xla)(samples)) for xla in (False, True))
    assert np.linalg.norm(graph - compiled) < 1e-5 * np.linalg.norm(graph)
