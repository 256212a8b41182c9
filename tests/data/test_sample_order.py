import numpy as np
import pytest

from zoo import ZooError
from zoo.data import SampleOrder


def epoch_permutation(seed: int, epoch: int, count: int) -> np.ndarray:
    """An independent implementation of the order."""
    return np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, epoch]))).permutation(count)


def test_every_epoch_shows_every_sample_once():
    order = SampleOrder(count=12, batch_size=4, seed=3)
    for epoch in range(3):
        seen = np.concatenate([order.indices(epoch * 3 + batch) for batch in range(3)])
        assert sorted(seen) == list(range(12))


def test_batches_that_straddle_epochs_continue_with_the_next_permutation():
    order = SampleOrder(count=5, batch_size=3, seed=7)
    stream = np.concatenate([epoch_permutation(7, epoch, 5) for epoch in range(3)])
    batches = np.concatenate([order.indices(batch) for batch in range(5)])
    assert batches.tolist() == stream.tolist()


def test_a_batch_is_the_same_whatever_batches_came_before():
    straight = [SampleOrder(count=10, batch_size=7, seed=1).indices(batch) for batch in range(9)]
    jumping = SampleOrder(count=10, batch_size=7, seed=1)
    for batch in (8, 0, 5, 5, 1):
        assert jumping.indices(batch).tolist() == straight[batch].tolist()


def test_epochs_and_seeds_have_orders_of_their_own():
    first = SampleOrder(count=100, batch_size=100, seed=0)
    assert first.indices(0).tolist() != first.indices(1).tolist()
    assert first.indices(0).tolist() != SampleOrder(count=100, batch_size=100, seed=1).indices(0).tolist()


def test_indices_are_int64_of_the_batch_size():
    indices = SampleOrder(count=10, batch_size=10, seed=0).indices(4)
    assert indices.dtype == np.int64
    assert indices.shape == (10,)


def test_a_batch_larger_than_the_dataset_is_refused_with_both_numbers():
    with pytest.raises(ZooError, match=r"batch of 65 is larger than the dataset of 64 samples.*batch_size=64"):
        SampleOrder(count=64, batch_size=65, seed=0)


def test_an_empty_batch_is_refused():
    with pytest.raises(ZooError, match="at least 1, not 0"):
        SampleOrder(count=64, batch_size=0, seed=0)
