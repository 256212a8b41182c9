"""bfloat16: what computes in it, what stays float32, and how far its gradients are from float32's."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from keras import ops

from zoo import backend, layers
from zoo.backend.options import EngineOptions
from zoo.training.trainer import Trainer

pytestmark = pytest.mark.usefixtures("op_by_op")
BFLOAT16 = EngineOptions(precision="bfloat16")
STACKS = ("dcgan", "vanilla", "wgan", "wgan-gp", "dcgan+r1", "vanilla+wgan_gp")
HALF_A_DIGIT = 2.0**-8  # how far a number is rounded in bfloat16, relative to itself


def trainer_in(options: EngineOptions, stack: Any, dataset: Any) -> Trainer:
    return Trainer(stack, dataset, 0, backend.engine(options))


def output_layers(model: keras.Model) -> list[str]:
    return [layer.compute_dtype for layer in model.layers if layer.weights]


@pytest.mark.parametrize("text", STACKS)
def test_layers_compute_in_bfloat16_and_everything_that_is_kept_is_float32(
    text: str, tiny_dataset: Callable, make_stack: Callable
) -> None:
    made = make_stack(text, "average_decay=0.9")
    trainer = trainer_in(BFLOAT16, made, tiny_dataset((16, 16, 1)))
    metrics = trainer.train(2)
    for model in (trainer.players.generator, trainer.players.discriminator):
        kinds = output_layers(model)
        assert "bfloat16" in kinds
        assert kinds[-1] == "float32"
    floats = {name: array.dtype for name, array in trainer.state().items() if array.dtype.kind == "f"}
    assert set(floats.values()) == {np.dtype("float32")}
    assert any(name.startswith("average/") for name in floats)
    assert all(np.isfinite(values).all() for values in metrics.values())


@pytest.mark.parametrize("text", STACKS)
def test_samples_and_logits_are_float32_and_not_rounded(
    text: str, tiny_dataset: Callable, make_stack: Callable
) -> None:
    trainer = trainer_in(BFLOAT16, make_stack(text), tiny_dataset((16, 16, 1)))
    samples = trainer.players.generator(trainer.sampler.latents(4, seed=0), training=False)
    logits = trainer.players.discriminator(samples, training=False)
    for tensor in (samples, logits):
        assert keras.backend.standardize_dtype(tensor.dtype) == "float32"
        values = ops.convert_to_numpy(tensor)
        assert np.any(values != ops.convert_to_numpy(ops.cast(ops.cast(values, "bfloat16"), "float32")))


def test_all_that_is_added_up_to_a_logit_is_float32(tiny_dataset: Callable, make_stack: Callable) -> None:
    trainer = trainer_in(BFLOAT16, make_stack("dcgan+projection"), tiny_dataset((16, 16, 1), classes=3))
    discriminator = trainer.players.discriminator
    added = discriminator.output["logits"]._keras_history.operation.input
    assert [each._keras_history.operation.compute_dtype for each in added] == ["float32", "float32"]
    assert discriminator.get_layer("features").compute_dtype == "bfloat16"


@pytest.mark.parametrize("text", STACKS)
def test_losses_and_gradients_are_those_of_float32_to_bfloat16s_precision(
    text: str, tiny_dataset: Callable, make_stack: Callable
) -> None:
    settings = ["dropout=0.0"] if text.startswith("vanilla") else []  # whose draws differ between precisions
    stack, dataset = make_stack(text, "batch_size=16", *settings), tiny_dataset((16, 16, 1))
    exact, rounded = (trainer_in(options, stack, dataset) for options in (EngineOptions(), BFLOAT16))
    rounded.set_state(exact.state())
    for player in ("discriminator", "generator"):
        batch = exact.feed.batch(0) if player == "discriminator" else {}
        expected, received = exact.update(player, 0, batch), rounded.update(player, 0, batch)
        for name, value in expected.items():
            scale = max(1.0, abs(float(value)))
            assert received[name] == pytest.approx(value, abs=16 * HALF_A_DIGIT * scale), name
        assert any(received[name] != expected[name] for name in expected)


@pytest.mark.parametrize("shape", [(4096, 2), (64, 8, 8, 2)])
def test_moments_are_float32_in_mixed_precision(shape: tuple[int, ...]) -> None:
    """A mean of many values near 100 would be off by up to .25 if it were summed or kept in bfloat16."""
    layer = layers.BatchNormalization(momentum=0.0, dtype="mixed_bfloat16")
    values = ops.cast(np.random.default_rng(0).normal(100, 3, shape), "bfloat16")
    outputs = ops.reshape(layer(values, training=True), (-1, 2))
    seen = ops.convert_to_numpy(ops.cast(values, "float32")).astype("float64").reshape(-1, 2)
    assert keras.backend.standardize_dtype(outputs.dtype) == "bfloat16"
    assert ops.convert_to_numpy(layer.moving_mean) == pytest.approx(seen.mean(axis=0), rel=1e-6)
    assert ops.convert_to_numpy(layer.moving_variance) == pytest.approx(seen.var(axis=0), rel=1e-4)
    normal = ops.convert_to_numpy(ops.cast(outputs, "float32"))
    assert normal == pytest.approx((seen - seen.mean(axis=0)) / seen.std(axis=0), abs=4 * HALF_A_DIGIT)


def test_the_singular_value_is_found_in_float32_in_mixed_precision() -> None:
    dense = keras.layers.Dense(3, use_bias=False, dtype="mixed_bfloat16")
    layer = layers.SpectralNormalization(dense, dtype="mixed_bfloat16")
    inputs = ops.cast(np.eye(4), "bfloat16")
    layer(inputs)
    for _ in range(60):
        outputs = layer(inputs, training=True)
    kernel = ops.convert_to_numpy(dense.kernel).astype("float64")
    _, singular, right = np.linalg.svd(kernel)
    assert abs(ops.convert_to_numpy(layer.singular_vector)[0] @ right[0]) == pytest.approx(1, abs=1e-6)
    assert keras.backend.standardize_dtype(outputs.dtype) == "bfloat16"
    normalized = ops.convert_to_numpy(ops.cast(outputs, "float32"))
    assert normalized == pytest.approx(kernel / singular[0], abs=HALF_A_DIGIT)
