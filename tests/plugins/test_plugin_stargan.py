"""StarGAN: what is asked for, by class and by attributes; its networks and losses by NumPy."""

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from keras import ops
from zoo_plugins.stargan import classification, latents

from zoo import ZooError, backend
from zoo.base.pictures import grid, to_uint8
from zoo.data import Dataset
from zoo.data.fields import Field, expected_fields
from zoo.training.latents import named_outputs
from zoo.training.players import build_players
from zoo.training.sample_files import Wanted, picture
from zoo.training.sheets import sample_sheet
from zoo.training.trainer import Trainer
from zoo.training.translating import translate

SHAPE = (8, 8, 1)


@pytest.fixture(scope="module")
def with_attributes(tiny_dataset: Callable) -> Dataset:
    """Images with three attributes."""
    attributes = np.random.default_rng(1).integers(0, 2, (40, 3)).astype("float32")
    return replace(
        tiny_dataset(SHAPE),
        others={"attributes": (Field("vector", (3,), class_names=("Bald", "Old", "Sad")), attributes)},
    )


def test_classification_is_the_cross_entropy_of_classes_and_the_sum_over_attributes() -> None:
    draw = np.random.default_rng(0)
    logits = draw.normal(size=(5, 3)).astype("float32")
    labels = np.array([0, 2, 1, 1, 0], "int32")
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    expected = -np.log(chances[np.arange(5), labels]).mean()
    assert float(classification(ops.convert_to_tensor(logits), ops.convert_to_tensor(labels))) == pytest.approx(
        expected
    )
    wanted = draw.integers(0, 2, (5, 3)).astype("float32")
    sure = 1 / (1 + np.exp(-logits))
    expected = -(wanted * np.log(sure) + (1 - wanted) * np.log(1 - sure)).sum(axis=1).mean()
    assert float(classification(ops.convert_to_tensor(logits), ops.convert_to_tensor(wanted))) == pytest.approx(
        expected
    )


def test_targets_keep_the_counts_of_attributes() -> None:
    rows = np.arange(20, dtype="float32")[:, None]
    drawn = latents({"attributes": ops.convert_to_tensor(rows)}, keras.random.SeedGenerator(0))
    targets = ops.convert_to_numpy(drawn["targets"])
    assert (targets != rows).any()
    np.testing.assert_array_equal(np.sort(targets, axis=0), rows)
    assert latents({"samples": rows}, keras.random.SeedGenerator(0)) == {}


def test_at_128_pixels_the_networks_are_the_papers(make_stack: Callable) -> None:
    stack = make_stack("stargan", "residual_blocks=6")
    players = build_players(stack, expected_fields((128, 128, 3), 5), 0, backend.engine())
    strided = [
        each
        for each in players.discriminator.layers
        if isinstance(each, keras.layers.Conv2D) and each.strides == (2, 2)
    ]
    assert [layer.filters for layer in strided] == [2, 4, 8, 16, 32, 64]
    shapes = {name: tuple(each.shape[1:]) for name, each in players.discriminator.output.items()}
    assert shapes == {"logits": (2, 2, 1), "classes": (5,)}
    first = next(layer for layer in players.generator.layers if isinstance(layer, keras.layers.Conv2D))
    assert first.kernel.shape == (7, 7, 3 + 5, 2)  # labels beside the colours


@pytest.mark.parametrize("kind", ["classes", "attributes"])
def test_the_generators_penalty_is_the_papers(
    kind: str, make_stack: Callable, tiny_dataset: Callable, with_attributes: Dataset, eager_terms: Callable
) -> None:
    data = with_attributes if kind == "attributes" else tiny_dataset(SHAPE, classes=3)
    trainer = Trainer(make_stack("stargan", "reconstruction_weight=7", "class_weight=2"), data, seed=1)
    terms = eager_terms(trainer, "generator")
    _, parts = terms.loss()
    name = {"classes": "labels", "attributes": "targets"}[kind]
    own = terms.batch["labels" if kind == "classes" else "attributes"]
    fake, asked = terms.fake_samples, terms.latents[name]
    back = named_outputs(terms.generator({"samples": fake, name: own}, training=True), "samples")["samples"]
    away = np.abs(ops.convert_to_numpy(terms.batch["samples"]) - ops.convert_to_numpy(back)).mean()
    said = terms.discriminator({"samples": fake}, training=True)["classes"]
    expected = 7 * away + 2 * float(classification(said, asked))
    assert float(parts["generator_penalty/stargan"]) == pytest.approx(expected, rel=1e-4)


def test_it_learns_by_attributes_and_gives_what_is_asked_for(make_stack: Callable, with_attributes: Dataset) -> None:
    trainer = Trainer(make_stack("stargan"), with_attributes)
    metrics = trainer.step()
    assert np.isfinite(list(metrics.values())).all()
    sampler = replace(trainer.sampler, rows=with_attributes.rows)
    rows = np.array([3, 3])
    inputs = sampler.latents(2, 0, {"targets": [[0, 0, 0], [1, 1, 1]]}, rows=rows)
    made = sampler.samples(inputs)
    assert (made[0] != made[1]).any()  # the same image, asked for other attributes

    named = sampler.latents(2, 0, {"old": [0, 1], "Bald": 0, "Sad": 1}, rows=rows)
    assert ops.convert_to_numpy(named["targets"]).tolist() == [[0, 0, 1], [0, 1, 1]]
    with pytest.raises(
        ZooError, match=r"Each attribute .* is to be asked for. Add --condition Old=0 --condition Sad=0"
    ):
        sampler.latents(2, 0, {"Bald": 1}, rows=rows)

    images = with_attributes.samples[3:4]
    asked = {"Bald": 1, "Old": 1, "Sad": 1}
    np.testing.assert_array_equal(translate(sampler, images, conditions=asked), to_uint8(made[1:]))
    np.testing.assert_array_equal(translate(sampler, images, conditions={"targets": [0, 0, 0]}), to_uint8(made[:1]))
    with pytest.raises(ZooError, match="changes images to attributes: say each, 1 or 0, --condition Bald=1 --cond"):
        translate(sampler, images)

    pictures = np.asarray(sample_sheet(sampler, with_attributes, 0))
    own = with_attributes.arrays["attributes"]
    rows = np.repeat(np.arange(8), 3)
    flipped = np.abs(own[rows] - np.tile(np.eye(3), (8, 1)))
    changed = to_uint8(sampler.samples(sampler.latents(24, 0, {"targets": flipped}, rows=rows))).reshape(8, 3, *SHAPE)
    expected = np.concatenate([with_attributes.samples[:8, None], changed], axis=1).reshape(-1, *SHAPE)
    np.testing.assert_array_equal(pictures, np.asarray(grid(expected, 4)))


def test_the_sheet_has_a_row_for_each_image_itself_first_and_then_changed_to_each_class(
    make_stack: Callable, tiny_dataset: Callable
) -> None:
    data = tiny_dataset(SHAPE, classes=3)
    sampler = replace(Trainer(make_stack("stargan"), data).sampler, rows=data.rows)
    rows = np.arange(8)
    made = [to_uint8(sampler.samples(sampler.latents(8, 0, {"labels": each}, rows=rows))) for each in range(3)]
    expected = np.stack([data.samples[:8], *made], axis=1).reshape(-1, *SHAPE)
    np.testing.assert_array_equal(np.asarray(sample_sheet(sampler, data, 0)), np.asarray(grid(expected, 4)))

    run = SimpleNamespace(
        sampler=sampler,
        fields=data.fields,
        made_field=data.fields["samples"],
        record={"dataset": {"description": {}}},
        class_numbers=lambda names: [int(name) for name in names],
        presented=data.fields["samples"].presented,
    )
    asked = picture(run, Wanted(count=8, classes=("2",), seed=0))  # zoo sample --class 2
    np.testing.assert_array_equal(np.asarray(asked), np.asarray(grid(made[2])))


def test_classes_are_needed_and_sides_that_halve_twice(make_stack: Callable, tiny_dataset: Callable) -> None:
    with pytest.raises(ZooError, match="Plugin 'stargan' needs a dataset of two classes or more"):
        Trainer(make_stack("stargan"), tiny_dataset(SHAPE))
    with pytest.raises(ZooError, match="multiples of 4 from 8 on"):
        Trainer(make_stack("stargan"), tiny_dataset((10, 8, 1), classes=3))
