"""Samples do not depend on their batch, in training either; the networks stay what they were."""

from collections.abc import Callable

import keras
import numpy as np
import pytest
from keras import ops

from zoo import ZooError
from zoo.training.trainer import Trainer


@pytest.mark.parametrize(("stack", "shape"), [("vanilla", (2,)), ("dcgan", (16, 16, 1))])
def test_a_sample_does_not_depend_on_its_batch_mates(
    stack: str, shape: tuple[int, ...], tiny_dataset: Callable, make_stack: Callable
) -> None:
    plain, virtual = (
        Trainer(make_stack(text), tiny_dataset(shape)).players.generator
        for text in (stack, f"{stack}+virtual_batch_norm")
    )
    latents = np.random.default_rng(0).normal(size=(5, 3)).astype("float32")
    whole, few = (ops.convert_to_numpy(virtual(each, training=True)) for each in (latents, latents[:2]))
    assert whole[:2] == pytest.approx(few, abs=1e-5)
    whole, few = (ops.convert_to_numpy(plain(each, training=True)) for each in (latents, latents[:2]))
    assert abs(whole[:2] - few).max() > 1e-4
    shapes = [sorted(tuple(each.shape) for each in model.trainable_variables) for model in (plain, virtual)]
    assert shapes[0] == shapes[1]


def test_the_reference_is_drawn_once_and_trains_as_little_as_it_moves(
    tiny_dataset: Callable, make_stack: Callable
) -> None:
    trainer = Trainer(make_stack("vanilla+virtual_batch_norm", "reference_size=6"), tiny_dataset((2,)))
    (reference,) = trainer.players.generator.non_trainable_variables
    before = ops.convert_to_numpy(reference)
    trainer.step()
    assert before.shape == (6, 3)
    assert 0.5 < before.std() < 1.5
    assert (ops.convert_to_numpy(reference) == before).all()


def test_with_many_references_it_normalizes_as_their_batch_does(tiny_dataset: Callable, make_stack: Callable) -> None:
    """A sample from the reference itself is normalized as batch normalization normalizes it there."""
    trainer = Trainer(make_stack("vanilla+virtual_batch_norm", "reference_size=3000"), tiny_dataset((2,)))
    model = trainer.players.generator
    (reference,) = (ops.convert_to_numpy(each) for each in model.non_trainable_variables)
    inner = model._flatten_layers()
    dense = next(each for each in inner if isinstance(each, keras.layers.Dense) and each.kernel.shape[0] == 3)
    virtual = next(each for each in inner if type(each).__name__ == "ByReference")
    before = reference @ ops.convert_to_numpy(dense.kernel)
    joined = np.concatenate([before, before[:4]])
    found = ops.convert_to_numpy(virtual(joined.astype("float32")))[3000:]
    expected = (before[:4] - before.mean(axis=0)) / np.sqrt(before.var(axis=0) + virtual.epsilon)
    assert found == pytest.approx(expected, rel=0.01, abs=0.01)


def test_generators_without_batch_normalization_or_with_labels_are_refused(
    tiny_dataset: Callable, make_stack: Callable
) -> None:
    with pytest.raises(ZooError, match=r"finds no zoo\.layers\.BatchNormalization in the generator"):
        Trainer(make_stack("vanilla+virtual_batch_norm", "generator_normalization=none"), tiny_dataset((2,)))
    with pytest.raises(ZooError, match="has a reference batch of latents alone"):
        Trainer(make_stack("cgan-projection+virtual_batch_norm"), tiny_dataset((16, 16, 1), classes=3))
