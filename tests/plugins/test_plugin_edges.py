"""Edges and negatives: hand-worked Sobel, and whose they are."""

from collections.abc import Callable
from math import sqrt

import numpy as np
import pytest
from keras import ops
from zoo_plugins.edges import edges

from zoo import ZooError
from zoo.training.trainer import Trainer

Arrays = dict[str, np.ndarray]


def found(images: np.ndarray) -> np.ndarray:
    return ops.convert_to_numpy(edges(ops.convert_to_tensor(images.astype("float32"))))


@pytest.fixture
def batch_of(tiny_dataset: Callable, make_stack: Callable) -> Callable[..., tuple[Arrays, Arrays]]:
    """The discriminator's first real batch with what the stack derives, and the other rows that it may derive it of."""

    def make(text: str, *settings: str) -> tuple[Arrays, Arrays]:
        trainer = Trainer(make_stack(text, *settings), tiny_dataset())
        inputs = trainer.feed.update("discriminator", 0, 0)
        batch = {name: ops.convert_to_numpy(each) for name, each in trainer.updates.batch(inputs).items()}
        return batch, {name: each / 127.5 - 1 for name, each in inputs["other_batch"].items()}

    return make


def test_a_constant_image_is_flat_up_to_its_border() -> None:
    assert (found(np.full((2, 5, 4, 3), 0.3)) == -1).all()


def test_a_step_is_where_it_is_and_as_strong_as_it_is() -> None:
    image = np.full((1, 4, 6, 1), -1.0)
    image[:, :, 3:] = 1
    row = [-1, -1, 1, 1, -1, -1]  # (1 + 2 + 1) * 2 = 8, the strongest
    assert (found(image)[0, :, :, 0] == row).all()
    assert (found(image / 4)[0, :, :, 0] == [-1, -1, -0.5, -0.5, -1, -1]).all()  # a quarter of it
    assert (found(image.transpose(0, 2, 1, 3))[0, :, :, 0] == np.transpose([row] * 4)).all()


def test_a_single_bright_pixel_has_sobels_ring() -> None:
    image = np.zeros((1, 5, 5, 1))
    image[0, 2, 2] = 1
    ring = found(image)[0, 1:4, 1:4, 0]
    corner, side = 2 * sqrt(1 + 1) / 8 - 1, 2 * 2 / 8 - 1
    assert ring == pytest.approx(np.array([[corner, side, corner], [side, -1, side], [corner, side, corner]]))


def test_colours_count_by_their_mean_and_no_edge_is_stronger_than_one() -> None:
    draw = np.random.default_rng(0)
    images = draw.uniform(-1, 1, (3, 6, 7, 3))
    assert found(images).shape == (3, 6, 7, 1)
    assert found(images) == pytest.approx(found(images.mean(axis=-1, keepdims=True)), abs=1e-6)
    assert np.abs(found(np.sign(images))).max() <= 1


def test_edges_are_the_samples_own_unless_they_are_to_be_unpaired(batch_of: Callable) -> None:
    batch, other = batch_of("pix2pix+edges")
    assert batch["source"] == pytest.approx(found(batch["samples"]), abs=1e-6)
    batch, other = batch_of("cyclegan+edges", "edges_paired=false")
    assert batch["source"] == pytest.approx(found(other["samples"]), abs=1e-6)
    assert (batch["samples"] != other["samples"]).any()


def test_negatives_are_of_other_rows_unless_they_are_to_be_paired(batch_of: Callable) -> None:
    batch, other = batch_of("cyclegan+negative")
    assert batch["source"] == pytest.approx(-other["samples"], abs=1e-6)
    batch, _ = batch_of("cyclegan+negative", "negative_paired=true")
    assert (batch["source"] == -batch["samples"]).all()


def test_points_have_no_edges(tiny_dataset: Callable, make_stack: Callable) -> None:
    with pytest.raises(ZooError, match="Plugin 'edges' finds edges in images; these samples are points"):
        Trainer(make_stack("vanilla+edges"), tiny_dataset((2,)))
