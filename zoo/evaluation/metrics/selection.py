"""Which metrics are measured: those that are named, or all that the samples allow."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from zoo.catalogue import Catalogue
from zoo.errors import ZooError, ZooWarning
from zoo.evaluation.metrics.contract import Compared, Metric, Score
from zoo.extensions.loading import Extension, load_each, open_extension

KIND = "metrics"
MORE = {
    "real": "Compare with more: --split, --dataset or --against a larger set",
    "generated": "Draw more: --samples N",
}


def chosen_metrics(
    names: Sequence[str],
    available: set[str],
    missing: Mapping[str, str],
    counts: Mapping[str, int],
    catalogue: Catalogue,
    more: Mapping[str, str] = MORE,
) -> dict[str, Metric]:
    """The metrics of these names, or all usual ones that the samples allow where none is named.

    `available` is what the samples have of a metric's `needs`; `missing` says for each other need why it is not there;
    `counts` is how many real and generated samples there are, `more` says how to have more of either. Raises ZooError
    for a name that can't be measured.
    """
    whose = min(counts, key=lambda side: counts[side])

    def allowed(metric: Metric) -> bool:
        return metric.needs <= available and metric.smallest <= counts[whose]

    def possible() -> dict[str, Metric]:
        return {name: each for name, each in every_metric(catalogue).items() if allowed(each)}

    if not names:
        found = possible()
        if not found:
            raise ZooError(f"{counts[whose]} {whose} samples are too few for any metric. {more[whose]}.")
        return {name: each for name, each in found.items() if each.default}
    chosen = {}
    for name in names:
        extension = open_extension(KIND, name, catalogue)
        metric = checked_metric(extension)
        if lacking := sorted(metric.needs - available):
            reasons = "; ".join(missing.get(need, f"there are no {need}") for need in lacking)
            listed = ", ".join(possible()) or "none"
            raise ZooError(f"The metric '{name}' can't be measured here: {reasons}. Possible: {listed}.")
        if not allowed(metric):
            raise ZooError(
                f"The metric '{name}' needs at least {metric.smallest} samples on either side; there are "
                f"{counts[whose]} {whose} ones. {more[whose]}. Possible: {', '.join(possible()) or 'none'}."
            )
        chosen[extension.entry.name] = metric
    return chosen


def every_metric(catalogue: Catalogue) -> dict[str, Metric]:
    """All metrics by name; one from outside that fails, when it is loaded or when it measures, costs a ZooWarning."""
    entries = catalogue.extensions[KIND].values()
    return dict(load_each(KIND, entries, lambda extension: (extension.entry.name, unnamed_metric(extension))))


def unnamed_metric(extension: Extension) -> Metric:
    """A metric that nobody named, which must not end an evaluation if it comes from outside."""
    metric = checked_metric(extension)
    if extension.shipped:
        return metric
    picture = metric.picture and partial(or_warning, metric.picture, None)
    return replace(metric, measure=partial(or_warning, metric.measure, ()), picture=picture)


def or_warning(function: Callable[[Compared], Any], otherwise: Any, compared: Compared) -> Any:
    """What the function returns; `otherwise`, with a ZooWarning, where it raises ZooError."""
    try:
        return function(compared)
    except ZooError as error:
        warnings.warn(f"Left out: {error}", ZooWarning, stacklevel=2)
        return otherwise


def checked_metric(extension: Extension) -> Metric:
    """The metric of an extension, whose functions are called so that what goes wrong in them is said to be its fault.

    Raises ZooError where the hook returns anything else.
    """
    metric = extension.answer()
    if not isinstance(metric, Metric):
        raise extension.must_return("a zoo.extensions.Metric", metric)
    picture = metric.picture and partial(extension.blamed, metric.picture)
    prepare = metric.prepare and partial(extension.blamed, metric.prepare)
    return replace(metric, measure=partial(checked_scores, extension, metric.measure), picture=picture, prepare=prepare)


def checked_scores(
    extension: Extension, measure: Callable[[Compared], Sequence[Score]], compared: Compared
) -> Sequence[Score]:
    """The scores of a metric; raises ZooError where it returns anything else."""
    scores: Any = extension.blamed(measure, compared)
    if not isinstance(scores, list | tuple) or not all(isinstance(each, Score) for each in scores):
        raise ZooError(f"{extension.title}: `measure` must return a list of zoo.extensions.Score; received {scores!r}.")
    return scores
