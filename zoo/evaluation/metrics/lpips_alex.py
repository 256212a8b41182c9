"""LPIPS of pairs in AlexNet, with its learned weights (Zhang et al. 2018), https://arxiv.org/abs/1801.03924"""

from zoo.evaluation.metrics.contract import Metric
from zoo.evaluation.metrics.learned import metric_of
from zoo.hookspecs import hookimpl


@hookimpl
def metric() -> Metric:
    """The same for every evaluation."""
    return metric_of("alex")
