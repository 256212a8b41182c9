"""What generated images teach a classifier (Ravuri and Vinyals 2019, Shmelkov et al. 2018)

https://arxiv.org/abs/1905.10887, https://arxiv.org/abs/1807.09499: trained on generated images and tested on real ones,
the classification accuracy score or GAN-train, and trained on real and tested on generated ones, GAN-test. Beside them
stands what as many real images teach. The classifier is the zoo's own small one, not the papers' ResNets.
"""

from collections.abc import Sequence

from zoo import backend
from zoo.evaluation.classifier import taught
from zoo.evaluation.metrics.checks import present
from zoo.evaluation.metrics.class_accuracy import by_classifier, number_of_classes, taught_by_real
from zoo.evaluation.metrics.contract import Compared, Metric, Score
from zoo.evaluation.metrics.intervals import of_share
from zoo.hookspecs import hookimpl


@backend.fixed()
def measure(compared: Compared) -> Sequence[Score]:
    """`cas`, `gan_test` and `real_accuracy`, shares of images that are taken for what they are."""
    classes = number_of_classes(compared)
    real_labels, fake_labels = (present(side.labels, "labels") for side in (compared.real, compared.fake))
    by_fakes = taught(compared.fake.samples, fake_labels, classes, compared.seed, progress=compared.progress)
    by_real = taught_by_real(compared, classes, count=len(fake_labels))
    hits = {
        "cas": by_fakes.hits(compared.real.samples, real_labels),
        "gan_test": by_real.hits(compared.fake.samples, fake_labels),
        "real_accuracy": by_real.hits(compared.real.samples, real_labels),
    }
    better = {"cas": "higher", "gan_test": None, "real_accuracy": None}
    return [of_share(name, float(each.mean()), len(each), better[name]) for name, each in hits.items()]  # type: ignore[arg-type]


METRIC = by_classifier(measure)


@hookimpl
def metric() -> Metric:
    """The same for every evaluation."""
    return METRIC
