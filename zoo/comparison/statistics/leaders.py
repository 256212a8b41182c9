"""The ranking of variants by one metric, and which of them lead."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from zoo.comparison.statistics.differences import Difference, Values, Verdict, differences
from zoo.comparison.statistics.rank_tests import ALPHA, check_alpha, goodness, seeds_needed, win_share
from zoo.comparison.statistics.summaries import Summary, summary
from zoo.evaluation.metrics.contract import Better


@dataclass(frozen=True)
class Ranking:
    """All variants by one metric, and which of them lead.

    The first leader is the best: of those shown to be worse than the fewest, the one whose runs win the largest share
    against other variants' runs, failed runs ranked last. The other leaders are those not shown to be worse than it, in
    the same order. A variant without one finished run is no leader.
    """

    better: Better
    summaries: Mapping[str, Summary]
    differences: tuple[Difference, ...]  # every pair once
    leaders: tuple[str, ...]
    sentence: str


def ranking(groups: Mapping[str, Values], better: Better, alpha: float = ALPHA) -> Ranking:
    """The ranking of variants by one value a run, None where it failed; raises ZooError unless 0 < alpha < 1."""
    check_alpha(alpha)
    pairs = differences(groups, better, alpha)
    verdicts = _both_ways(pairs)
    summaries = {name: summary(values) for name, values in groups.items()}
    order = _order({name: goodness(values, better) for name, values in groups.items()}, verdicts)
    able = [name for name in order if summaries[name].finished]
    leaders = tuple(name for name in able if name == able[0] or verdicts[name, able[0]] != "worse")
    return Ranking(better, summaries, pairs, leaders, _sentence(tuple(groups), leaders, verdicts, alpha))


def _both_ways(pairs: Sequence[Difference]) -> dict[tuple[str, str], Verdict]:
    """The verdict of the first variant against the second, in either order."""
    turned: dict[Verdict, Verdict] = {"better": "worse", "worse": "better"}
    found = {(pair.one, pair.other): pair.verdict for pair in pairs}
    return found | {(other, one): turned.get(verdict, verdict) for (one, other), verdict in found.items()}


def _order(ranked: Mapping[str, Sequence[float]], verdicts: Mapping[tuple[str, str], Verdict]) -> list[str]:
    """The variants, best first."""

    def place(name: str) -> tuple[int, float]:
        others = [other for other in ranked if other != name]
        beaten = sum(verdicts[name, other] == "worse" for other in others)
        return beaten, -sum(win_share(ranked[name], ranked[other]) for other in others)

    return sorted(ranked, key=place)


def _sentence(
    names: Sequence[str], leaders: Sequence[str], verdicts: Mapping[tuple[str, str], Verdict], alpha: float
) -> str:
    """A sentence that says who leads, who is worse, and who never finished."""
    if len(names) < 2:
        return "only one variant" if names else "no variant to rank"
    if not leaders:
        return "no run of any variant finished"
    rest = [name for name in names if name not in leaders]
    worse = [name for name in rest if verdicts[name, leaders[0]] == "worse"]
    unfinished = [name for name in rest if name not in worse]
    clauses = [_lead(names, leaders, verdicts, alpha) if len(leaders) > 1 or unfinished else f"{leaders[0]} is best"]
    if worse:
        than = f" than {leaders[0]}" if len(leaders) > 1 else ""
        clauses.append(f"{joined(worse)} {'are' if len(worse) > 1 else 'is'} worse{than}")
    if unfinished:
        clauses.append(f"no run of {joined(unfinished)} finished")
    return "; ".join(clauses)


def _lead(
    names: Sequence[str], leaders: Sequence[str], verdicts: Mapping[tuple[str, str], Verdict], alpha: float
) -> str:
    """The clause on several leaders, or on one beside a variant that never finished."""
    best, *others = leaders
    if not others:
        return f"{best} leads"
    if any(verdicts[other, best] == "too few seeds" for other in others):
        which = "which" if len(leaders) == len(names) else f"which of {joined(leaders)}"
        pairs = len(verdicts) // 2
        need = f"{pairs} comparisons need" if pairs > 1 else "1 comparison needs"
        return f"too few seeds to tell {which} is best: {need} at least {seeds_needed(pairs, alpha)} of each variant"
    if all(verdicts[one, other] not in ("better", "worse") for one in leaders for other in leaders if one != other):
        return f"{joined(leaders)} lead and can't be told apart"
    return f"{best} leads; {joined(others)} {'are' if len(others) > 1 else 'is'} not shown to be worse"


def joined(names: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join([*([", ".join(names[:-1])] if names[:-1] else []), *names[-1:]])
