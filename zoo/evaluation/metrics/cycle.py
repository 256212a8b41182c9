"""The way there and back: how far an image is from itself after both translations (Zhu et al. 2017), 1703.10593"""

from collections.abc import Sequence

from zoo.errors import ZooError
from zoo.evaluation.metrics.contract import Compared, Metric, Score
from zoo.evaluation.metrics.paired import LARGEST, absolute_errors, mean_score
from zoo.hookspecs import hookimpl

SMALLEST = 2


def measure(compared: Compared) -> Sequence[Score]:
    """`cycle_l1`, of what was translated, and `cycle_l1_to_source` of samples that go the other way; without pairs."""
    cycles = compared.cycles
    if cycles is None:
        raise ZooError("This generator translates in one direction alone: there is no way back to measure.")
    found = {"cycle_l1": cycles, "cycle_l1_to_source": cycles.other_way}
    return [
        mean_score(name, absolute_errors(each.there_and_back, each.sources), "lower")
        for name, each in found.items()
        if each is not None
    ]


METRIC = Metric(
    needs=frozenset({"images", "cycles"}),
    smallest=SMALLEST,
    settings={"range": LARGEST, "between": "uint8"},
    measure=measure,
    in_features=False,
)


@hookimpl
def metric() -> Metric:
    """The same for every evaluation."""
    return METRIC
