"""SRGAN: sizes, the paper's networks, and the losses of its two phases by NumPy."""

from collections.abc import Callable
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from keras import ops
from zoo_plugins.srgan import SrganRecipe, generator_loss, generator_penalty, schedule

from zoo import ZooError, backend, feature_networks
from zoo.data.fields import Field, samples_field
from zoo.training.players import Players, build_players
from zoo.training.trainer import Trainer

CHEAP = "feature_weight=0"


@pytest.fixture(scope="module")
def built(make_stack: Callable) -> Callable[..., Players]:
    def make(shape: tuple[int, ...], source: tuple[int, ...], *settings: str) -> Players:
        fields = {"samples": samples_field(shape), "source": Field("image", source)}
        return build_players(make_stack("srgan", CHEAP, "lowres_factor=2", *settings), fields, 0, backend.engine())

    return make


@pytest.mark.parametrize(
    ("shape", "source"), [((28, 28, 1), (7, 7, 1)), ((16, 24, 3), (8, 12, 1)), ((32, 32, 3), (4, 4, 3))]
)
def test_images_are_enlarged_two_four_and_eight_times(
    shape: tuple[int, ...], source: tuple[int, ...], make_stack: Callable
) -> None:
    fields = {"samples": samples_field(shape), "source": Field("image", source)}
    stack = make_stack("srgan", CHEAP, f"lowres_factor={shape[0] // source[0]}")
    generator = stack.first("generator", sample_shape=shape, classes=None, fields=fields, recipe=stack.recipe)
    assert generator({"source": np.zeros((2, *source), "float32")}).shape == (2, *shape)


def test_the_networks_are_the_papers(make_stack: Callable) -> None:
    stack = make_stack("srgan", tiny=False)
    fields = {"samples": samples_field((96, 96, 3)), "source": Field("image", (24, 24, 3))}
    made = {
        name: stack.first(name, sample_shape=(96, 96, 3), classes=None, fields=fields, recipe=stack.recipe)
        for name in ("generator", "discriminator")
    }
    first, last = 9 * 9 * 3 * 64 + 64 + 64, 9 * 9 * 64 * 3 + 3  # with the slopes of a PReLU
    convolution = 3 * 3 * 64 * 64 + 2 * 64  # with its normalization
    doubling = 3 * 3 * 64 * 256 + 256 + 64
    expected = first + 16 * (2 * convolution + 64) + convolution + 2 * doubling + last
    assert sum(np.prod(each.shape) for each in made["generator"].trainable_variables) == expected
    layers = made["discriminator"].layers
    convolutions = [layer for layer in layers if isinstance(layer, keras.layers.Conv2D)]
    assert [(each.filters, each.strides[0]) for each in convolutions] == [
        (64, 1), (64, 2), (128, 1), (128, 2), (256, 1), (256, 2), (512, 1), (512, 2),
    ]  # fmt: skip
    assert [layer.units for layer in layers if isinstance(layer, keras.layers.Dense)] == [1024, 1]
    assert sum("normalization" in layer.name for layer in layers) == 7


def test_pixels_teach_first_and_then_features_and_the_critic() -> None:
    draw = np.random.default_rng(0)
    real, fake = (draw.uniform(-1, 1, (3, 32, 32, 3)).astype("float32") for _ in range(2))
    whole = feature_networks.efficientnet_lite0((32, 32, 3))
    content = keras.Model(whole.input, whole.output["stride_16"])
    recipe = SrganRecipe(pretraining=100, pixel_weight=0.5)
    logits = np.array([[0.0], [2.0]], "float32")

    def at(images_seen: int) -> tuple[float, np.ndarray]:
        seen = ops.convert_to_tensor(images_seen, dtype="int32")
        penalty = generator_penalty(real, fake, seen, {"content": content}, recipe)
        return float(penalty), ops.convert_to_numpy(generator_loss(ops.convert_to_tensor(logits), seen, recipe))

    pixels = np.mean((real - fake) ** 2)
    features = np.mean((ops.convert_to_numpy(content(real)) - ops.convert_to_numpy(content(fake))) ** 2)
    assert at(99)[0] == pytest.approx(pixels, rel=1e-5)
    assert (at(99)[1] == 0).all()
    assert at(100)[0] == pytest.approx(0.5 * pixels + 0.003 * features, rel=1e-4)
    assert at(100)[1] == pytest.approx(1e-3 * np.log1p(np.exp(-logits)), rel=1e-5)


def test_rates_are_a_tenth_in_the_second_half() -> None:
    recipe = SrganRecipe(horizon=100)
    rates = [
        float(schedule(ops.convert_to_tensor(seen), recipe)["generator_learning_rate"]) for seen in (0, 49, 50, 500)
    ]
    assert rates == pytest.approx([1e-4, 1e-4, 1e-5, 1e-5])
    assert schedule(ops.convert_to_tensor(0), SrganRecipe()) == {}


def test_small_samples_are_compared_enlarged_and_the_network_stays_as_it_is(
    make_stack: Callable, tiny_dataset: Callable
) -> None:
    trainer = Trainer(make_stack("srgan", "feature_size=32"), tiny_dataset((8, 8, 3)))
    before = trainer.players.hashes()
    metrics = trainer.step()
    assert np.isfinite(list(metrics.values())).all()
    assert metrics["generator_penalty/srgan"] > 0
    assert trainer.players.hashes() == before
    assert set(before) == {"content"}
    assert not any(name.startswith("content") for name in trainer.state())


@pytest.mark.parametrize(
    ("shape", "source"), [((16, 16, 1), (16, 16, 1)), ((24, 24, 1), (8, 8, 1)), ((16, 8, 1), (8, 8, 1))]
)
def test_what_no_doublings_enlarge_is_refused(
    shape: tuple[int, ...], source: tuple[int, ...], make_stack: Callable
) -> None:
    stack = make_stack("srgan", CHEAP)
    fields = {"samples": SimpleNamespace(shape=shape), "source": SimpleNamespace(shape=source)}
    with pytest.raises(ZooError, match="Plugin 'srgan' doubles images once or more"):
        stack.first("generator", sample_shape=shape, classes=None, fields=fields, recipe=stack.recipe)
