"""Comparisons over seeds against numbers worked by hand, every permutation, scipy, and simulated truths."""

import itertools
import math
from collections.abc import Sequence
from statistics import mean

import numpy as np
import pytest
from scipy.stats import mannwhitneyu, rankdata, t, ttest_ind

from zoo.comparison.statistics import bootstrap, collapsed, ranking, seeds_needed, summary
from zoo.comparison.statistics.leaders import joined
from zoo.comparison.statistics.rank_tests import goodness, holm, p_value, smallest_p, tied_p, win_share
from zoo.errors import ZooError

LOW, HIGH = [1.0, 2.0, 3.0, 4.0, 5.0], [11.0, 12.0, 13.0, 14.0, 15.0]
MIXED = [4.5, 2.5, 5.5, 3.5, 1.5]


def drawn(seed: int, count: int, middle: float = 0.0) -> list[float]:
    return (np.random.default_rng(seed).standard_normal(count) + middle).tolist()


def permuted_p(one: Sequence[float], other: Sequence[float]) -> float:
    """Twice the smaller tail of U among all ways to deal the values, by definition of U."""
    pooled = [*one, *other]

    def wins(chosen: Sequence[int]) -> float:
        rest = [index for index in range(len(pooled)) if index not in chosen]
        return win_share([pooled[index] for index in chosen], [pooled[index] for index in rest])

    seen = wins(range(len(one)))
    dealt = [wins(chosen) for chosen in itertools.combinations(range(len(pooled)), len(one))]
    return min(1.0, 2 * min(mean(each <= seen + 1e-9 for each in dealt), mean(each >= seen - 1e-9 for each in dealt)))


# One variant


def test_a_summary_is_that_worked_by_hand() -> None:
    found = summary([1.0, 2.0, 6.0])
    assert (found.runs, found.finished) == (3, 3)
    assert (found.mean, found.median, found.lowest, found.highest) == (3.0, 2.0, 1.0, 6.0)
    assert found.deviation == pytest.approx(math.sqrt(7))  # (4 + 1 + 9) / 2
    assert found.interval is not None
    assert found.interval[0] < 3 < found.interval[1]


@pytest.mark.parametrize("nothing", [None, math.nan, math.inf, -math.inf])
def test_a_failed_run_is_counted_and_is_in_no_mean(nothing: float | None) -> None:
    found, without = summary([1.0, nothing, 2.0, 6.0]), summary([1.0, 2.0, 6.0])
    assert (found.runs, found.finished) == (4, 3)
    assert (found.mean, found.deviation, found.interval) == (without.mean, without.deviation, without.interval)


def test_one_value_has_a_mean_and_no_spread() -> None:
    found = summary([None, 7.0])
    assert (found.mean, found.median, found.lowest, found.highest) == (7.0, 7.0, 7.0, 7.0)
    assert found.deviation is None
    assert found.interval is None


@pytest.mark.parametrize(("values", "runs"), [([], 0), ([None, math.nan], 2)])
def test_no_value_has_no_statistics(values: list[float | None], runs: int) -> None:
    found = summary(values)
    assert (found.runs, found.finished) == (runs, 0)
    assert {found.mean, found.deviation, found.interval, found.median, found.lowest, found.highest} == {None}


@pytest.mark.parametrize("value", [0.0, 0.1, -3.3, 1e300])
def test_equal_seeds_have_no_spread_at_all_in_spite_of_rounding(value: float) -> None:
    found = summary([value] * 3)
    assert (found.mean, found.deviation, found.interval) == (value, 0.0, (value, value))


# Intervals


@pytest.mark.parametrize("count", [3, 5, 10])
def test_of_symmetric_values_the_interval_is_almost_that_of_student(count: int) -> None:
    values = np.linspace(-1, 1, count)
    reach = t.ppf(0.975, count - 1) * np.std(values, ddof=1) / math.sqrt(count)
    found = bootstrap.interval(values.tolist())
    assert found == pytest.approx((-reach, reach), rel=0.1)


def test_of_many_values_two_samples_have_the_interval_of_welch() -> None:
    one, other = drawn(1, 200, middle=3), [5 * value for value in drawn(2, 60)]
    expected = ttest_ind(one, other, equal_var=False).confidence_interval(0.95)
    assert bootstrap.interval(one, other) == pytest.approx(tuple(expected), rel=0.05, abs=0.05)


def test_the_stretch_is_student_s_over_what_the_bootstrap_plugs_in() -> None:
    # n = 5: 2.776 / 1.960 * sqrt(5 / 4); equal variances of 5 and 5: 8 degrees of freedom, 2.306.
    assert bootstrap.stretch([0.3], [5]) == pytest.approx(2.7764 / 1.95996 * math.sqrt(5 / 4), rel=1e-4)
    assert bootstrap.stretch([0.3, 0.3], [5, 5]) == pytest.approx(2.3060 / 1.95996 * math.sqrt(5 / 4), rel=1e-4)
    assert bootstrap.stretch([0.3, 0.0], [5, 9]) == bootstrap.stretch([0.3], [5])


@pytest.mark.parametrize("scale", [1e200, 1e-200])
def test_an_interval_grows_with_any_scale(scale: float) -> None:
    low, high = bootstrap.interval([1.0, 2.0, 4.0], [0.5, 0.7]) or (0, 0)
    found = bootstrap.interval([scale, 2 * scale, 4 * scale], [0.5 * scale, 0.7 * scale])
    assert found == pytest.approx((low * scale, high * scale), rel=1e-9, abs=0)


def test_skewed_values_have_a_skewed_interval() -> None:
    low, high = bootstrap.interval([1, 1, 1, 2, 10]) or (0, 0)
    assert high - 3 > 1.2 * (3 - low)


@pytest.mark.parametrize("count", [3, 5])
def test_an_interval_of_few_normal_seeds_holds_the_truth_nearly_as_often_as_it_says(
    monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    monkeypatch.setattr(bootstrap, "RESAMPLES", 500)
    found = [bootstrap.interval(drawn(seed, count)) for seed in range(400)]
    held = mean(low <= 0 <= high for low, high in filter(None, found))
    assert 0.91 < held < 0.985  # the plain percentile bootstrap: .74 and .84


def test_an_interval_moves_with_its_values_and_mirrors_with_their_signs() -> None:
    values = drawn(3, 6)
    low, high = bootstrap.interval(values) or (0, 0)
    assert bootstrap.interval([value + 10 for value in values]) == pytest.approx((low + 10, high + 10))
    assert bootstrap.interval([-3 * value for value in values]) == pytest.approx((-3 * high, -3 * low))


def test_the_order_of_two_variants_turns_their_difference_around() -> None:
    one, other = drawn(3, 6), drawn(4, 9, middle=1)
    low, high = bootstrap.interval(one, other) or (0, 0)
    assert bootstrap.interval(other, one) == pytest.approx((-high, -low), rel=0.03)  # other resamples


def test_a_constant_variant_adds_no_width_to_a_difference() -> None:
    low, high = bootstrap.interval([1.0, 2.0, 4.0]) or (0, 0)
    found = bootstrap.interval([1.0, 2.0, 4.0], [5.0, 5.0])
    assert found == pytest.approx((low - 5, high - 5), rel=0.03)
    assert bootstrap.interval([0.1] * 3, [0.3] * 4) == (pytest.approx(-0.2), pytest.approx(-0.2))


# The test


@pytest.mark.parametrize(
    ("one", "other", "p"),
    [
        ([1, 2, 3], [4, 5, 6], 0.1),  # one of 20 deals to either side
        ([1, 2, 4], [3, 5, 6], 0.2),  # U = 1: two of 20
        ([1, 2, 3, 4], [5, 6, 7, 8], 2 / 70),
        ([1], [2], 1.0),
        ([1, 4], [2, 3], 1.0),  # U = 2, the middle
    ],
)
def test_small_p_values_are_those_worked_by_hand(one: list[float], other: list[float], p: float) -> None:
    assert p_value(one, other) == pytest.approx(p)
    assert p_value(other, one) == pytest.approx(p)


@pytest.mark.parametrize(("seed", "sizes"), list(enumerate([(3, 3), (3, 5), (5, 5), (2, 6), (4, 7)])))
def test_with_ties_p_counts_every_permutation(seed: int, sizes: tuple[int, int]) -> None:
    draw = np.random.default_rng(seed)
    for _ in range(4):
        one, other = (draw.integers(0, 4, size).tolist() for size in sizes)
        assert p_value(one, other) == pytest.approx(permuted_p(one, other))


@pytest.mark.parametrize("sizes", [(3, 4), (5, 5), (10, 10)])
def test_the_count_for_ties_agrees_with_scipy_where_there_are_none(sizes: tuple[int, int]) -> None:
    one, other = drawn(5, sizes[0]), drawn(6, sizes[1], middle=1)
    expected = mannwhitneyu(one, other, method="exact").pvalue
    assert tied_p(rankdata([*one, *other]), len(one)) == pytest.approx(expected)
    assert p_value(one, other) == pytest.approx(expected)


def test_equal_runs_show_no_difference() -> None:
    assert p_value([2.0] * 5, [2.0] * 5) == 1.0
    assert p_value([-math.inf] * 5, [-math.inf] * 4) == 1.0
    assert p_value([], [1.0, 2.0]) == 1.0


def test_two_failed_runs_tie_below_every_value() -> None:
    # 1 and 2 against 3, failed and failed (lower is better): both runs beat the two failed ones and the 3.
    one, other = goodness([1, 2], "lower"), goodness([3, None, math.nan], "lower")
    assert win_share(one, other) == 1
    assert p_value(one, other) == pytest.approx(2 / 10)
    one, other = goodness([1, None], "higher"), goodness([-9, None], "higher")
    assert win_share(one, other) == (1 + 1 + 0 + 0.5) / 4


def test_p_is_the_same_for_any_increasing_scale() -> None:
    one, other = drawn(1, 5), drawn(2, 6, middle=1)
    p = p_value(one, other)
    assert p_value([math.exp(value) for value in one], [math.exp(value) for value in other]) == p
    assert p_value([-value for value in one], [-value for value in other]) == pytest.approx(p)


def test_equal_variants_are_found_different_no_more_often_than_alpha() -> None:
    draw = np.random.default_rng(0)
    found = [p_value(draw.standard_normal(5).tolist(), draw.standard_normal(5).tolist()) for _ in range(1000)]
    assert 0.015 < mean(p < 0.05 for p in found) < 0.05  # exactly 8 of 252 deals


def test_holm_corrects_as_by_hand() -> None:
    # Sorted .01, .02, .03, .04: times 4, 3, 2, 1 is .04, .06, .06, .04, and none falls below the one before.
    assert holm([0.02, 0.01, 0.04, 0.03]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm([0.6, 0.5]) == [1.0, 1.0]
    assert holm([0.3]) == [0.3]
    assert holm([]) == []


@pytest.mark.parametrize(("pairs", "seeds"), [(1, 4), (2, 5), (3, 5), (6, 5), (7, 6), (10, 6), (23, 6), (24, 7)])
def test_the_seeds_needed_are_those_of_the_binomials(pairs: int, seeds: int) -> None:
    # 2 / 20 for 3, 2 / 70 for 4, 2 / 252 for 5, 2 / 924 for 6, 2 / 3432 for 7: times `pairs` must be below .05.
    assert seeds_needed(pairs) == seeds


@pytest.mark.parametrize("sizes", [(1, 1), (2, 2), (3, 3), (3, 5), (4, 4), (5, 5)])
def test_the_smallest_p_is_that_of_runs_that_do_not_overlap(sizes: tuple[int, int]) -> None:
    one, other = list(range(sizes[0])), list(range(10, 10 + sizes[1]))
    assert smallest_p(*sizes) == pytest.approx(p_value(one, other))


@pytest.mark.parametrize("alpha", [0.0, 1.0, -0.1, 5, math.nan])
def test_an_alpha_that_is_no_probability_is_refused(alpha: float) -> None:
    with pytest.raises(ZooError, match=r"alpha is a probability between 0 and 1, such as 0\.05\. Received: "):
        seeds_needed(1, alpha)
    with pytest.raises(ZooError, match="alpha"):
        ranking({"one": LOW, "other": HIGH}, "lower", alpha)


# Pairs


def test_a_pair_has_its_difference_p_and_verdict() -> None:
    (found,) = ranking({"dcgan": LOW, "vanilla": HIGH}, "lower").differences
    assert (found.one, found.other, found.difference, found.runs) == ("dcgan", "vanilla", -10.0, (5, 5))
    assert found.interval is not None
    assert found.interval[1] < 0
    assert found.p == found.corrected_p == found.smallest_p == pytest.approx(2 / 252)
    assert found.verdict == "better"
    assert found.sentence == "dcgan is better than vanilla (p = 0.0079)"


def test_higher_scores_turn_the_verdict_around_and_no_number() -> None:
    lower, higher = (ranking({"a": LOW, "b": HIGH}, better).differences[0] for better in ("lower", "higher"))
    assert (lower.verdict, higher.verdict) == ("better", "worse")
    assert (lower.p, lower.difference, lower.interval) == (higher.p, higher.difference, higher.interval)
    negated = ranking({"a": [-value for value in LOW], "b": [-value for value in HIGH]}, "higher").differences[0]
    assert (negated.verdict, negated.difference) == ("better", 10.0)


def test_every_pair_is_there_once_and_corrected_for_all() -> None:
    found = ranking({"a": LOW, "b": HIGH, "c": MIXED}, "lower")
    assert [(pair.one, pair.other) for pair in found.differences] == [("a", "b"), ("a", "c"), ("b", "c")]
    assert [pair.corrected_p for pair in found.differences] == holm([pair.p for pair in found.differences])
    assert [pair.verdict for pair in found.differences] == ["better", "undecided", "worse"]
    assert [pair.sentence for pair in found.differences] == [
        "a is better than b (p = 0.024 corrected)",
        "a and c can't be told apart (p = 0.69 corrected)",
        "b is worse than c (p = 0.024 corrected)",
    ]


def test_three_against_three_are_too_few_whatever_they_score() -> None:
    groups = {name: [place * 10 + run for run in (0.0, 1.0, 2.0)] for place, name in enumerate("abcd")}
    found = ranking(groups, "lower").differences
    assert {pair.verdict for pair in found} == {"too few seeds"}
    sentence = "too few seeds to tell a from b: 3 against 3 cannot go below p = 0.6 after correction for 6 comparisons"
    assert found[0].sentence == sentence
    (pair,) = ranking({"a": groups["a"], "b": groups["b"]}, "lower").differences
    assert pair.sentence == "too few seeds to tell a from b: 3 against 3 cannot go below p = 0.1"


def test_four_seeds_decide_one_pair_and_not_two() -> None:
    one, other = [1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]
    assert ranking({"a": one, "b": other}, "lower").differences[0].verdict == "better"
    found = ranking({"a": one, "b": other, "c": other}, "lower").differences
    assert {pair.verdict for pair in found} == {"too few seeds"}


def test_a_decided_pair_is_decided_though_its_seeds_seemed_too_few() -> None:
    # 4 against 4 goes to 2 / 70, times 3 too much; but the two pairs with 10 runs come first, and Holm leaves it alone.
    groups = {"a": [1.0, 2, 3, 4], "b": [5.0, 6, 7, 8], "c": [10.0 + run for run in range(30)]}
    found = ranking(groups, "lower").differences
    assert [pair.verdict for pair in found] == ["better", "better", "better"]
    assert found[0].corrected_p == pytest.approx(2 / 70)


def test_a_variant_with_a_better_mean_is_worse_where_it_fails() -> None:
    groups = {"failing": [0.5, *[None] * 7], "steady": [1 + run / 100 for run in range(8)]}
    (found,) = ranking(groups, "lower").differences
    assert found.difference is not None
    assert found.difference < 0
    assert found.verdict == "worse"
    # Failures share rank 4: ranks add up to 44. No more do all 7 with any of 9, and 6 of 7 with one of 6 lowest pairs.
    assert found.p == pytest.approx(2 * (9 + 7 * 6) / math.comb(16, 8))


def test_a_variant_without_a_value_has_no_difference_and_is_worse() -> None:
    (found,) = ranking({"a": LOW, "b": [None] * 5}, "lower").differences
    assert (found.difference, found.interval, found.verdict) == (None, None, "better")
    assert found.p == pytest.approx(2 / 252)


def test_a_small_p_is_in_words_that_no_one_misreads() -> None:
    (found,) = ranking({"a": list(range(12)), "b": list(range(20, 32))}, "lower").differences
    assert found.sentence == "a is better than b (p < 0.0001)"


# Who leads


@pytest.mark.parametrize(
    ("groups", "leaders", "sentence"),
    [
        ({}, (), "no variant to rank"),
        ({"a": LOW}, ("a",), "only one variant"),
        ({"a": [None]}, (), "only one variant"),
        ({"a": [None] * 5, "b": [None] * 5}, (), "no run of any variant finished"),
        ({"b": HIGH, "a": LOW}, ("a",), "a is best; b is worse"),
        ({"b": HIGH, "a": LOW, "c": HIGH}, ("a",), "a is best; b and c are worse"),
        ({"a": LOW, "c": MIXED}, ("a", "c"), "a and c lead and can't be told apart"),
        ({"c": MIXED, "a": LOW, "b": HIGH}, ("a", "c"), "a and c lead and can't be told apart; b is worse than a"),
        ({"a": LOW, "b": [None] * 5}, ("a",), "a is best; b is worse"),
        ({"a": LOW, "b": [None] * 2}, ("a",), "a leads; no run of b finished"),
        ({"a": LOW, "b": []}, ("a",), "a leads; no run of b finished"),
        (
            {"b": HIGH[:3], "a": LOW[:3]},
            ("a", "b"),
            "too few seeds to tell which is best: 1 comparison needs at least 4 of each variant",
        ),
        (
            {"a": LOW, "b": HIGH, "c": [3.3, 3.4]},
            ("a", "c"),
            "too few seeds to tell which of a and c is best: 3 comparisons need at least 5 of each variant; "
            "b is worse than a",
        ),
    ],
)
def test_a_ranking_says_who_leads(
    groups: dict[str, list[float | None]], leaders: tuple[str, ...], sentence: str
) -> None:
    found = ranking(groups, "lower")
    assert found.leaders == leaders
    assert found.sentence == sentence
    assert list(found.summaries) == list(groups)


def test_higher_scores_lead_where_higher_is_better() -> None:
    assert ranking({"a": LOW, "b": HIGH}, "higher").leaders == ("b",)
    assert ranking({"a": LOW, "b": HIGH}, "higher").better == "higher"


def test_leaders_that_differ_among_themselves_are_not_said_to_be_equal() -> None:
    # `few` leads by its share of wins, yet its 4 runs can't be told from either; b is shown to be worse than c.
    groups = {"few": [1.0, 2, 3, 35], "c": [10.0 + run for run in range(10)], "b": [20.5 + run for run in range(10)]}
    found = ranking(groups, "lower")
    assert {(pair.one, pair.other): pair.verdict for pair in found.differences}["c", "b"] == "better"
    assert found.leaders == ("few", "c", "b")
    assert found.sentence == "few leads; c and b are not shown to be worse"


def test_no_variant_is_best_that_is_shown_to_be_worse_than_another() -> None:
    draw = np.random.default_rng(0)
    for _ in range(30):
        groups = {name: (draw.standard_normal(7) * 3 + draw.integers(0, 6)).round().tolist() for name in "abcd"}
        found = ranking(groups, "lower")
        best = found.leaders[0]
        turned = {"better": "worse", "worse": "better"}
        others = {pair.other: pair.verdict for pair in found.differences if pair.one == best}
        others |= {pair.one: turned.get(pair.verdict, "") for pair in found.differences if pair.other == best}
        assert "worse" not in others.values()
        assert {name for name, verdict in others.items() if verdict != "better"} == set(found.leaders[1:])


def test_wins_against_third_variants_make_no_variant_best_that_lost_to_another() -> None:
    # `fast` beats `safe` in 16 of 20 runs and falls behind all others in 4, so `safe` wins the larger share of all.
    groups = {"safe": [10.0 + run for run in range(20)], "fast": [*[run / 100 for run in range(16)], *[100.0] * 4]}
    groups |= {name: [50.0 + run for run in range(20)] for name in "abcd"}
    ranked = {name: goodness(values, "lower") for name, values in groups.items()}
    shares = {name: sum(win_share(ranked[name], other) for other in ranked.values()) for name in ranked}
    assert shares["safe"] > shares["fast"]
    assert ranking(groups, "lower").sentence == "fast is best; safe, a, b, c and d are worse"


@pytest.mark.parametrize("shift", [0.0, 100.0])
def test_a_ranking_is_the_same_again_and_for_shifted_scores(shift: float) -> None:
    groups = {name: drawn(seed, 6, middle=seed) for seed, name in enumerate("abc")}
    moved = {name: [value + shift for value in values] for name, values in groups.items()}
    found, again = ranking(groups, "lower"), ranking(moved, "lower")
    assert found.sentence == again.sentence
    assert [pair.p for pair in found.differences] == [pair.p for pair in again.differences]
    for one, other in zip(found.differences, again.differences, strict=True):
        assert one.interval == pytest.approx(other.interval)


def test_names_are_joined_as_in_a_sentence() -> None:
    assert [joined(names) for names in ("", "a", "ab", "abc")] == ["", "a", "a and b", "a, b and c"]


# Collapse


@pytest.mark.parametrize(
    ("best", "last", "better", "noise", "expected"),
    [
        (20.0, 30.0, "lower", 0.0, False),
        (20.0, 30.1, "lower", 0.0, True),
        (20.0, 15.0, "lower", 0.0, False),  # better still
        (0.6, 0.41, "higher", 0.0, False),
        (0.6, 0.39, "higher", 0.0, True),
        (0.6, 0.39, "higher", 0.05, False),  # 0.21 is within five deviations
        (0.001, 0.004, "lower", 0.001, False),  # four times a best that is all noise
        (0.001, 0.0062, "lower", 0.001, True),
        (-0.001, 0.0035, "lower", 0.001, False),
        (-0.001, 0.0045, "lower", 0.001, True),
        (-0.001, 0.0035, "lower", 0.0, False),  # |best| stands for the noise
        (-0.001, 0.0045, "lower", 0.0, True),
        (0.0, 0.0, "lower", 0.0, False),
        (0.0, 0.1, "lower", 0.0, True),
        (0.0, 0.0, "higher", 0.0, False),
        (-100.0, -149.0, "higher", 0.0, False),
        (-100.0, -151.0, "higher", 0.0, True),
        (20.0, math.nan, "lower", 1.0, True),
        (20.0, math.inf, "lower", 1.0, True),
        (math.inf, math.nan, "lower", 1.0, False),
    ],
)
def test_a_run_has_collapsed_where_its_last_score_is_far_worse_than_its_best(
    best: float, last: float, better: str, noise: float, expected: bool
) -> None:
    assert collapsed(best, last, better, noise) is expected


def test_a_run_that_does_not_change_seldom_seems_to_collapse() -> None:
    scores = np.random.default_rng(0).standard_normal((3000, 20)) * 0.01 + 0.002  # a KID of almost nothing
    assert np.mean([collapsed(run.min(), run[-1], "lower", 0.01) for run in scores]) < 0.01
    assert (
        np.mean([collapsed(run.min(), run[-1], "lower", 0.002) for run in scores]) > 0.5
    )  # too small a noise finds collapses in most
