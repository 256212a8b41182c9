"""Deep critics: the gradient by their layers against the chain rule, and what clipping does to both."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from keras import ops

from zoo import ZooError, backend
from zoo.base.progress import Silent
from zoo.diagnosis.depth import Depth, critic_stack, gradient_by_layer, measured_critics, verdict_of, weights_of
from zoo.training.trainer import Trainer

DEEP = Depth(steps=1, layers=3, units=5, clips=(0.1, 1e-9))


@pytest.fixture
def trainer(tiny_dataset: Callable, make_stack: Callable) -> Trainer:
    return Trainer(critic_stack(make_stack("vanilla"), DEEP, None), tiny_dataset((2,)))


def test_the_gradient_by_a_layers_activations_is_the_product_of_the_layers_above(trainer: Trainer) -> None:
    kernels = [each for each in trainer.players.discriminator.trainable_variables if len(each.shape) == 2]
    assert [tuple(each.shape) for each in kernels] == [(2, 5), (5, 5), (5, 5), (5, 1)]
    for kernel in kernels:
        kernel.assign(np.abs(ops.convert_to_numpy(kernel)))
    for each in trainer.players.discriminator.trainable_variables:
        if len(each.shape) == 1:
            each.assign(np.full(each.shape, 10.0))  # so that every ReLU is open, and the critic linear
    norms = gradient_by_layer(trainer, 8)
    product = np.ones((1, 1))
    expected = []
    for kernel in reversed(kernels[1:]):
        product = ops.convert_to_numpy(kernel) @ product
        expected.insert(0, np.linalg.norm(product))
    np.testing.assert_allclose(norms, expected, rtol=1e-4)


def test_every_critic_is_measured_and_kept_and_a_gradient_of_zero_is_a_result(
    tiny_dataset: Callable, make_stack: Callable, tmp_path: Path
) -> None:
    given = (make_stack("vanilla"), tiny_dataset((2,)), 0, DEEP, backend.EngineOptions(), tmp_path, Silent())
    found = measured_critics(*given)
    assert list(found["critics"]) == ["clipped at 0.1", "clipped at 1e-09", "penalized"]
    smallest = found["critics"]["clipped at 1e-09"]
    assert max(smallest["norms"]) < 1e-8
    assert smallest["word"] == "vanishes"
    edges = found["critics"]["clipped at 0.1"]["weights"]["edges"]
    assert np.abs(edges).max() == pytest.approx(0.1, rel=1e-5)
    assert np.abs(found["critics"]["penalized"]["weights"]["edges"]).max() > 0.1
    assert (tmp_path / "report.html").exists()
    assert (tmp_path / "gradients.png").exists()
    assert measured_critics(*given) == found  # nothing is trained again


def test_weights_at_the_ends_are_counted(trainer: Trainer) -> None:
    for kernel in trainer.players.discriminator.trainable_variables:
        if len(kernel.shape) == 2:
            kernel.assign(np.where(np.arange(np.prod(kernel.shape)).reshape(kernel.shape) % 2, 0.5, 0.1))
    assert weights_of(trainer)["at_ends"] == pytest.approx(0.5, abs=0.05)


def test_a_gradient_is_called_by_where_it_goes_towards_the_input() -> None:
    assert verdict_of([1e-4, 1e-2, 1.0])[0] == "vanishes"
    assert verdict_of([1e3, 1e1, 1.0])[0] == "explodes"
    assert verdict_of([1.2, 1.1, 1.0]) == ("stays", pytest.approx(np.log10(1.2)))
    assert verdict_of([0.0, 1.0]) == ("vanishes", None)


def test_critics_that_are_none_are_refused() -> None:
    with pytest.raises(ZooError, match="--layers must be at least 1"):
        Depth(layers=0)
    with pytest.raises(ZooError, match="--clip must be above 0"):
        Depth(clips=(0.1, 0.0))
