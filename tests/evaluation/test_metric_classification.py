"""What images teach a classifier: classes that can be told, and such that can't; the draws are the seed's."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from zoo import ZooError
from zoo.evaluation import classifier
from zoo.evaluation.classifier import Teaching, changed, taught
from zoo.evaluation.metrics import class_accuracy, classification
from zoo.evaluation.metrics.contract import Compared, Side

QUICK = Teaching(steps=40, batch=32, width=4, rate=1e-2)


def stripes(seed: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Images of two classes, bright above and bright on the left, with noise."""
    draw = np.random.default_rng(seed)
    labels = draw.integers(0, 2, count)
    images = draw.integers(0, 60, (count, 8, 8, 1))
    images[labels == 0, :4] += 150
    images[labels == 1, :, :4] += 150
    return images.astype("uint8"), labels


def test_it_learns_what_can_be_told_and_nothing_of_labels_at_random() -> None:
    images, labels = stripes(0, 300)
    new, new_labels = stripes(1, 200)
    model = taught(images, labels, 2, seed=0, teaching=QUICK)
    assert model.hits(new, new_labels).mean() > 0.95
    shuffled = np.random.default_rng(2).permutation(labels)
    assert 0.2 < taught(images, shuffled, 2, seed=0, teaching=QUICK).hits(new, new_labels).mean() < 0.8


def test_the_same_seed_teaches_the_same() -> None:
    images, labels = stripes(0, 60)
    noise = np.random.default_rng(3).integers(0, 256, (200, 8, 8, 1), dtype=np.uint8)
    short = replace(QUICK, steps=3)
    one, other, third = (taught(images, labels, 2, seed=seed, teaching=short).predictions(noise) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, other)
    assert (one != third).any()


def test_images_are_shifted_with_their_border_and_turned_over() -> None:
    images = np.arange(4 * 4, dtype="float32").reshape(1, 4, 4, 1).repeat(200, axis=0)
    moved = changed(images, Teaching(shift=1), np.random.default_rng(0))
    wide = np.pad(images[0, ..., 0], 1, mode="edge")
    places = {tuple((wide[top : top + 4, left : left + 4]).ravel()) for top in range(3) for left in range(3)}
    assert {tuple(each.ravel()) for each in moved} == places
    turned = changed(images, Teaching(shift=0, flip=True), np.random.default_rng(0))
    assert {tuple(each.ravel()) for each in turned} == {tuple(images[0].ravel()), tuple(images[0, :, ::-1].ravel())}


def quick(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Lets both metrics teach quickly; how many images each classifier has learnt from."""
    learnt: list[int] = []

    def noted(images: np.ndarray, *words: Any, **options: Any) -> classifier.Classifier:
        learnt.append(len(images))
        return taught(images, *words, **options, teaching=QUICK)

    for each in (classification, class_accuracy):
        monkeypatch.setattr(each, "taught", noted)
    return learnt


def compared(asked: np.ndarray | None) -> Compared:
    """200 real and 200 generated stripes, which were `asked` for, and 300 training images."""
    (real, real_labels), (training, training_labels), (fakes, _) = (
        stripes(seed, count) for seed, count in enumerate((200, 300, 200))
    )
    sides = (Side(real, labels=real_labels), Side(fakes, labels=asked))
    return Compared(*sides, training=training, training_labels=training_labels)


FAKE_LABELS = stripes(2, 200)[1]


def test_scores_say_what_fakes_teach_and_how_they_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    learnt = quick(monkeypatch)

    def scores(asked: np.ndarray) -> dict[str, float]:
        return {score.name: score.value for score in classification.measure(compared(asked))}

    right, wrong = scores(FAKE_LABELS), scores(1 - FAKE_LABELS)
    assert learnt == [200] * 4  # as many real images as generated ones
    assert min(right.values()) > 0.95
    assert wrong["cas"] < 0.05  # fakes of the other class teach the contrary
    assert wrong["gan_test"] < 0.05
    assert wrong["real_accuracy"] == right["real_accuracy"]
    with pytest.raises(ZooError, match="classes that generated images were asked for"):
        classification.measure(compared(None))
    assert not classification.METRIC.default
    assert classification.METRIC.settings["classifier"]["steps"] == classifier.TEACHING.steps


def test_class_accuracy_is_the_share_of_fakes_that_a_classifier_of_all_real_ones_takes_for_what_was_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    learnt = quick(monkeypatch)
    asked = np.where(np.arange(200) < 50, 1 - FAKE_LABELS, FAKE_LABELS)  # a quarter is of the other class
    accuracy, of_real = class_accuracy.measure(compared(asked))
    assert learnt == [300]
    assert (accuracy.name, accuracy.better) == ("class_accuracy", "higher")
    assert accuracy.value == pytest.approx(0.75, abs=0.03)
    low, high = accuracy.interval or (0, 0)
    assert 0.6 < low < 0.75 < high < 0.85
    assert (of_real.name, of_real.better) == ("classifier_accuracy", None)
    assert of_real.value > 0.95
