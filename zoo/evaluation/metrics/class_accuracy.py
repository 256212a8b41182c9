"""Whether samples are of the class that they were drawn for: GAN-test (Shmelkov et al. 2018)

https://arxiv.org/abs/1807.09499: a classifier that was trained on the real training images judges generated ones. It is
the zoo's own small one, trained anew on the data that the run was trained on, the same for every run on these data.
"""

from collections.abc import Callable, Sequence

import numpy as np

from zoo import backend
from zoo.evaluation.classifier import TEACHING, Classifier, taught
from zoo.evaluation.metrics.checks import present
from zoo.evaluation.metrics.contract import Compared, Metric, Score
from zoo.evaluation.metrics.draws import some
from zoo.evaluation.metrics.intervals import of_share
from zoo.hookspecs import hookimpl

SMALLEST = 10


def number_of_classes(compared: Compared) -> int:
    """How many classes either side, or the training images, show."""
    sides = {
        "labels of the real images": compared.real.labels,
        "classes that generated images were asked for": compared.fake.labels,
        "labels of the training images": compared.training_labels,
    }
    return int(max(present(labels, what).max() for what, labels in sides.items())) + 1


def taught_by_real(compared: Compared, classes: int, count: int | None = None) -> Classifier:
    """The classifier after learning from the training images, or from so many of them that the seed chooses."""
    images = present(compared.training, "training images")
    labels = present(compared.training_labels, "labels of the training images")
    if count is not None:
        rows = some(compared.seed, "classification", len(images), count)
        images, labels = np.asarray(images[rows]), labels[rows]
    return taught(images, labels, classes, compared.seed, progress=compared.progress)


@backend.fixed()
def measure(compared: Compared) -> Sequence[Score]:
    """`class_accuracy`, of generated images, and `classifier_accuracy`, of real ones, which bounds its meaning."""
    classifier = taught_by_real(compared, number_of_classes(compared))
    fake, real = (
        classifier.hits(side.samples, present(side.labels, "labels")) for side in (compared.fake, compared.real)
    )
    return [
        of_share("class_accuracy", float(fake.mean()), len(fake), "higher"),
        of_share("classifier_accuracy", float(real.mean()), len(real), None),
    ]


def by_classifier(measure: Callable[[Compared], Sequence[Score]]) -> Metric:
    """A metric of images with labels that trains classifiers, and so is measured only where it is asked for."""
    return Metric(
        needs=frozenset({"images", "labels", "training"}),
        smallest=SMALLEST,
        settings={"classifier": TEACHING.settings},
        measure=measure,
        in_features=False,
        default=False,
    )


METRIC = by_classifier(measure)


@hookimpl
def metric() -> Metric:
    """The same for every evaluation."""
    return METRIC
