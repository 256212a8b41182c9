"""InfoGAN's codes as classes: matched once on samples of their own, then scored on others."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from zoo.evaluation.classifier import taught
from zoo.evaluation.metrics.intervals import of_share
from zoo.training.run import Run

MATCHING, SCORING = 1, 2  # seeds of the samples


def accuracy_of_codes(
    run: Run, count: int, classes: int, data_dir: Path | None
) -> tuple[np.ndarray, dict[str, dict[str, Any]]]:
    """The code of each class, (classes,), and the scores that the metric `class-accuracy` gives of labels."""
    from zoo.catalogue import read_catalogue
    from zoo.training.data_of_run import DataOfRun

    data = DataOfRun(run.record["dataset"], run.path, read_catalogue(), data_dir)
    training, test = data.training(), data.split("test")
    classifier = taught(np.asarray(training.samples), np.asarray(training.labels), classes, seed=0)
    asked = np.arange(count, dtype="int32") % run.recipe.codes

    def taken_for(seed: int) -> np.ndarray:
        return classifier.predictions(run.sample(count, seed=seed, conditions={"code": asked}))

    code_of_class = matched(asked, taken_for(MATCHING), run.recipe.codes, classes)
    class_of_code = {int(code): number for number, code in enumerate(code_of_class)}
    wanted = np.array([class_of_code.get(int(code), -1) for code in asked])
    shares = {
        "class_accuracy": (taken_for(SCORING) == wanted, "higher"),
        "classifier_accuracy": (classifier.hits(np.asarray(test.samples), np.asarray(test.labels)), None),
    }
    found = {
        name: of_share(name, float(hits.mean()), len(hits), better)  # type: ignore[arg-type]
        for name, (hits, better) in shares.items()
    }
    return code_of_class, {name: asdict(score) for name, score in found.items()}


def matched(codes: np.ndarray, predictions: np.ndarray, kinds: int, classes: int) -> np.ndarray:
    """The code that stands for each class, (classes,), a code for one class at most: most samples agree.

    Classes that are left over, where there are fewer codes, share the code that is most often taken for them.
    """
    from scipy.optimize import linear_sum_assignment

    counts = np.zeros((kinds, classes), int)
    np.add.at(counts, (codes, predictions), 1)
    found = counts.argmax(axis=0)
    rows, columns = linear_sum_assignment(-counts)
    found[columns] = rows
    return found
