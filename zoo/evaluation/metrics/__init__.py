"""The metrics, one small file each; METRICS has them by name, in the order in which they are measured and told."""

from zoo.evaluation.metrics import (
    density_coverage,
    frechet,
    inception_score,
    kernel,
    modes,
    ms_ssim,
    nearest_training,
    precision_recall,
    sliced_wasserstein,
)
from zoo.evaluation.metrics.contract import Metric

METRICS: dict[str, Metric] = {
    module.METRIC.name: module.METRIC
    for module in (
        frechet,
        kernel,
        precision_recall,
        density_coverage,
        inception_score,
        modes,
        sliced_wasserstein,
        ms_ssim,
        nearest_training,
    )
}
