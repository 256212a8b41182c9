"""pix2pix: its networks by the paper's numbers, its noise, its losses by NumPy."""

from collections.abc import Callable
from dataclasses import replace

import keras
import numpy as np
import pytest
from keras import ops

from zoo import ZooError, backend
from zoo.data import Dataset
from zoo.data.fields import Field, samples_field
from zoo.layers import NoiseDropout
from zoo.training import sampler as sampling
from zoo.training.players import Players, build_players
from zoo.training.trainer import Trainer

PLAIN = ("generator_normalization=none", "discriminator_normalization=none", "width=1")


@pytest.fixture(scope="module")
def built(make_stack: Callable) -> Callable[..., Players]:
    def make(*settings: str, shape: tuple[int, ...] = (16, 16, 1), source: tuple[int, ...] | None = None) -> Players:
        fields = {"samples": samples_field(shape), "source": Field("image", source or shape)}
        return build_players(make_stack("pix2pix", *settings), fields, 0, backend.engine())

    return make


@pytest.fixture(scope="module")
def paired(tiny_dataset: Callable) -> Dataset:
    """A dataset with a field `source` of its own: other random images."""
    pictures = np.random.default_rng(1).integers(0, 256, (40, 16, 16, 1), dtype=np.uint8)
    return replace(tiny_dataset(), others={"source": (Field("image", (16, 16, 1)), pictures)})


@pytest.fixture(scope="module")
def trainer(make_stack: Callable, paired: Dataset) -> Trainer:
    return Trainer(make_stack("pix2pix"), paired, seed=1)


def kinds(model: keras.Model, kind: type) -> list[keras.Layer]:
    return [layer for layer in model.layers if type(layer) is kind]


@pytest.mark.parametrize(("layers", "field", "size"), [(1, 16, 28), (2, 34, 64), (3, 70, 256)])
def test_a_logit_sees_the_papers_patch_and_the_size_decides_which(
    layers: int, field: int, size: int, built: Callable
) -> None:
    chosen = built(*PLAIN, f"patch_layers={layers}", shape=(size, size, 1)).discriminator
    by_size = built(*PLAIN, shape=(size, size, 1)).discriminator
    assert by_size.output_shape == chosen.output_shape
    side = chosen.output_shape[1]
    assert (28, 64, 256)[layers - 1] == size
    assert side == {28: 12, 64: 14, 256: 30}[size]
    draw = np.random.default_rng(0)
    for weight in chosen.weights:  # small weights would vanish on their way
        weight.assign(draw.uniform(0.5, 1, weight.shape))
    images = ops.ones((1, size, size, 1))
    slopes = backend.engine().input_gradients(
        lambda samples: chosen({"samples": samples, "source": images})[:, side // 2, side // 2], images
    )
    rows, columns = np.nonzero(ops.convert_to_numpy(slopes)[0, :, :, 0])
    seen = (np.ptp(rows) + 1, np.ptp(columns) + 1)
    assert seen == (min(field, size), min(field, size))
    assert len(rows) == min(field, size) ** 2


@pytest.mark.parametrize("shape", [(8, 8, 3), (28, 28, 1), (12, 20, 1), (16, 16, 3)])
def test_images_of_any_size_come_back_at_their_size(shape: tuple[int, ...], built: Callable) -> None:
    players = built(shape=shape, source=(*shape[:2], 1))
    made = players.generator({"source": np.zeros((2, *shape[:2], 1), "float32")})
    assert made.shape == (2, *shape)
    assert players.discriminator.output_shape[-1] == 1


def test_at_256_pixels_the_network_is_the_papers(built: Callable) -> None:
    players = built("width=1", shape=(256, 256, 3))
    multiples = [layer.filters for layer in kinds(players.generator, keras.layers.Conv2D)]
    assert multiples == [1, 2, 4, 8, 8, 8, 8, 8]
    assert [layer.filters for layer in kinds(players.generator, keras.layers.Conv2DTranspose)] == [
        8, 8, 8, 8, 4, 2, 1, 3,
    ]  # fmt: skip
    noisy = [layer.output.shape[1] for layer in kinds(players.generator, NoiseDropout)]
    assert noisy == [2, 4, 8]
    assert [layer.filters for layer in kinds(players.discriminator, keras.layers.Conv2D)] == [1, 2, 4, 8, 1]
    norms = [layer for layer in players.generator.layers if "normalization" in layer.name]
    assert len(norms) == 6 + 7  # of the encoder not the first and the innermost
    assert players.discriminator.get_layer("features").output.shape[1:] == (31, 31, 8)


def test_the_papers_values(make_stack: Callable) -> None:
    recipe = make_stack("pix2pix+edges", tiny=False).recipe
    assert (recipe.batch_size, recipe.width, recipe.l1_weight, recipe.dropout) == (1, 64, 100, 0.5)
    assert (recipe.generator_learning_rate, recipe.discriminator_learning_rate, recipe.beta_1) == (2e-4, 2e-4, 0.5)


def test_batch_normalization_of_one_image_in_training_is_the_default(built: Callable) -> None:
    by_image, by_batch = (
        built(f"generator_normalization={kind}", "dropout=0").generator for kind in ("instance", "batch")
    )
    for one, other in zip(by_image.trainable_variables, by_batch.trainable_variables, strict=True):
        other.assign(one)
    picture = {"source": np.random.default_rng(0).uniform(-1, 1, (1, 16, 16, 1)).astype("float32")}
    trained = ops.convert_to_numpy(by_batch(picture, training=True))
    assert trained == pytest.approx(ops.convert_to_numpy(by_image(picture, training=False)), abs=1e-4)
    moving = ops.convert_to_numpy(by_batch(picture, training=False))  # the gap that the default does not have
    assert np.abs(moving - trained).max() > 1e-3


def test_without_dropout_an_image_does_not_depend_on_those_beside_it(built: Callable) -> None:
    generator = built("dropout=0").generator
    pictures = np.random.default_rng(0).uniform(-1, 1, (3, 16, 16, 1)).astype("float32")
    together = ops.convert_to_numpy(generator({"source": pictures}))
    alone = ops.convert_to_numpy(generator({"source": pictures[1:2]}))
    assert together[1:2] == pytest.approx(alone, abs=1e-5)


def test_the_noise_is_dropout_and_a_seed_repeats_it_across_chunks(
    trainer: Trainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sampling, "CHUNK", 4)
    sampler = trainer.sampler
    inputs = sampler.latents(10, 0, {"source": np.random.default_rng(0).uniform(-1, 1, (16, 16, 1))})
    assert set(inputs) == {"source"}
    made = sampler.samples(inputs, seed=5)
    assert len(np.unique(made, axis=0)) == 10  # of one picture, in three chunks
    np.testing.assert_array_equal(made, sampler.samples(inputs, seed=5))
    assert (made != sampler.samples(inputs, seed=6)).any()
    few = {"source": inputs["source"][:6]}
    np.testing.assert_array_equal(made[:6], sampler.samples(few, seed=5))


def test_the_losses_are_the_papers(trainer: Trainer, eager_terms: Callable) -> None:
    terms = eager_terms(trainer, "generator")
    _, parts = terms.loss()
    made, logits = ops.convert_to_numpy(terms.fake_samples), ops.convert_to_numpy(terms.fake_logits)
    real = ops.convert_to_numpy(terms.batch["samples"])
    assert float(parts["generator_penalty/pix2pix"]) == pytest.approx(100 * np.abs(real - made).mean(), rel=1e-5)
    assert float(parts["generator_loss"]) == pytest.approx(np.log1p(np.exp(-logits)).mean(), rel=1e-5)
    np.testing.assert_array_equal(terms.fake_fields["source"], terms.batch["source"])

    terms = eager_terms(trainer, "discriminator")
    real_logits, fake_logits = (ops.convert_to_numpy(each) for each in (terms.real_logits, terms.fake_logits))
    assert real_logits.shape == (4, 6, 6, 1)
    expected = np.log1p(np.exp(-real_logits)).mean() + np.log1p(np.exp(fake_logits)).mean()
    assert float(terms.loss()[1]["discriminator_loss"]) == pytest.approx(expected / 2, rel=1e-5)


@pytest.mark.parametrize("order", ["pix2pix+edges", "edges+pix2pix"])
def test_the_tasks_place_in_the_stack_makes_no_difference(
    order: str, tiny_dataset: Callable, make_stack: Callable
) -> None:
    players = Trainer(make_stack(order), tiny_dataset((16, 16, 3))).players
    assert players.generating.given == ("source",)
    assert players.generator.inputs[0].shape == (None, 16, 16, 1)
    assert players.generator.output_shape == (None, 16, 16, 3)


@pytest.mark.parametrize(
    ("text", "settings", "mend"),
    [
        ("pix2pix", [], "choose data in pairs"),
        ("pix2pix+negative", [], "choose a task that derives it of the same rows"),
        ("srgan", ["lowres_paired=false"], "choose a task that derives it of the same rows"),
    ],
)
def test_a_source_without_pairs_is_refused_with_what_learns_without(
    text: str, settings: list[str], mend: str, make_stack: Callable, paired: Dataset
) -> None:
    spec, pictures = paired.others["source"]
    apart = replace(paired, others={"source": (replace(spec, aligned=False), pictures)})
    with pytest.raises(ZooError) as raised:
        Trainer(make_stack(text, *settings), apart)
    assert str(raised.value) == (
        f"Plugin '{text.partition('+')[0]}' needs pairs, and the field 'source' is in an order of its own: train "
        f"cyclegan or cut, which learn without, or {mend}."
    )


def test_a_task_that_derives_pairs_makes_pairs_of_any_data(make_stack: Callable, paired: Dataset) -> None:
    spec, pictures = paired.others["source"]
    apart = replace(paired, others={"source": (replace(spec, aligned=False), pictures)})
    for text, settings in (("pix2pix+negative", ["negative_paired=true"]), ("pix2pix+mask", []), ("pix2pix+edges", [])):
        assert Trainer(make_stack(text, *settings), apart).players.fields["source"].aligned


def test_what_can_not_be_translated_is_refused(tiny_dataset: Callable, make_stack: Callable, built: Callable) -> None:
    with pytest.raises(ZooError, match=r"from the field 'source', which this dataset has not.*pix2pix\+edges"):
        Trainer(make_stack("pix2pix"), tiny_dataset())
    with pytest.raises(ZooError, match="between images of one size; the field 'source' is "):
        built(source=(8, 8, 1))
