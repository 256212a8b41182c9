"""The parts of the latents and what each of them moves, labels, and what is normalized."""

from dataclasses import replace
from typing import Any

import keras
import numpy as np
import pytest
from keras import ops
from zoo_plugins.biggan import discriminator, generator, recipe

from zoo import ZooError, layers

SMALL = replace(recipe(), width=2, latent_size=13, embedding_size=4)
SHAPE, CLASSES = (32, 32, 1), 3


def numpy(tensor: Any) -> Any:
    return ops.convert_to_numpy(tensor)


@pytest.fixture(scope="module")
def model() -> keras.Model:
    keras.utils.set_random_seed(0)
    return generator(SHAPE, CLASSES, SMALL)


def maps(model: keras.Model, latents: Any, label: int) -> list[Any]:
    """The output of each block for one sample."""
    blocks = [each.output for each in model.layers if isinstance(each, keras.layers.Add)]
    answer = keras.Model(model.input, blocks)({"latents": latents[None], "labels": np.array([label])})
    return [numpy(each) for each in answer]


def test_each_part_of_the_latents_moves_its_block_and_none_before(model: keras.Model) -> None:
    """13 latents in four parts: four for the first map, three for each of three blocks."""
    latents = np.random.default_rng(0).normal(size=13).astype("float32")
    before = maps(model, latents, 0)
    for part, (first, last) in enumerate([(0, 4), (4, 7), (7, 10), (10, 13)]):
        moved = latents.copy()
        moved[first:last] += 1
        same = [np.array_equal(*pair) for pair in zip(before, maps(model, moved, 0), strict=True)]
        assert same == [place < part - 1 for place in range(3)]


def test_the_label_moves_every_block(model: keras.Model) -> None:
    latents = np.zeros(13, "float32")
    assert not any(np.array_equal(*pair) for pair in zip(maps(model, latents, 0), maps(model, latents, 1), strict=True))


def test_with_maps_of_zero_all_labels_and_parts_make_what_plain_batch_normalization_does(model: keras.Model) -> None:
    copy = keras.models.clone_model(model)
    for layer in copy.layers:
        if isinstance(layer, layers.ModulatedBatchNormalization):
            for weight in layer.trainable_variables:
                weight.assign(ops.zeros_like(weight))
    latents = np.zeros(13, "float32")
    latents[:4] = 1
    one, other = maps(copy, latents, 0), maps(copy, np.where(np.arange(13) < 4, latents, 5).astype("float32"), 2)
    assert all(np.array_equal(*pair) for pair in zip(one, other, strict=True))


def test_without_classes_neither_player_takes_labels() -> None:
    made, judge = generator(SHAPE, None, SMALL), discriminator(SHAPE, None, SMALL)
    assert set(made.input) == {"latents"}
    assert set(judge.input) == {"samples"}
    assert judge({"samples": np.zeros((2, *SHAPE))})["logits"].shape == (2, 1)


def test_logits_of_two_labels_differ_by_the_difference_of_their_embeddings() -> None:
    judge = discriminator(SHAPE, CLASSES, SMALL)
    samples = np.random.default_rng(0).normal(size=(2, *SHAPE)).astype("float32")
    logits = [numpy(judge({"samples": samples, "labels": np.full(2, label)})["logits"]) for label in range(CLASSES)]
    (table,) = [
        each for each in judge.layers
        if isinstance(each, layers.SpectralNormalization) and isinstance(each.layer, keras.layers.Embedding)
    ]  # fmt: skip
    embedded = numpy(table(np.arange(CLASSES)))
    features = numpy(keras.Model(judge.input["samples"], judge.get_layer("features").output)(samples))
    assert (logits[1] - logits[0])[:, 0] == pytest.approx(features @ (embedded[1] - embedded[0]), rel=1e-3, abs=1e-4)


@pytest.mark.parametrize("shape", [(28, 28, 1), (48, 48, 3), (64, 128, 3), (128, 128, 3)])
def test_it_builds_for_every_size_and_attends_where_images_are_large(shape: tuple[int, ...]) -> None:
    for model in (generator(shape, CLASSES, SMALL), discriminator(shape, CLASSES, SMALL)):
        attending = [each for each in model.layers if isinstance(each, layers.SelfAttention)]
        assert len(attending) == (min(shape[:2]) >= 64)
    assert generator(shape, CLASSES, SMALL).output.shape[1:] == shape


def test_what_it_cannot_divide_and_points_are_refused() -> None:
    with pytest.raises(ZooError, match=r"into 4 parts .* there are 3: --set latent_size to 4 or more"):
        generator(SHAPE, CLASSES, replace(SMALL, latent_size=3))
    with pytest.raises(ZooError, match="Plugin 'biggan' makes images"):
        generator((2,), CLASSES, SMALL)
