"""The report of a sanity check: every score of every spoiled side, and whether it worsened as the harm grew."""

from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks.common.tables import table

from .monotony import MEANING, YES, interval, verdict
from .report import described, digits, heading
from .series import ARROWS, LABELS, judged, label, real_likeness, scores_of, series
from .spoiling import BLUR, CLASSES, COPIES, NOISE, SPOILINGS

# Why a score is not expected to worsen at every step; any other such case is reported as unexpected.
REALISTIC = "each image is as realistic as before, and whether all are there it does not ask"
REASONS: Mapping[tuple[str, str], str] = {
    ("precision", CLASSES): REALISTIC,
    ("precision", COPIES): f"{REALISTIC}; copies of few images vary by which they are",
    ("density", CLASSES): REALISTIC,
    ("density", COPIES): f"{REALISTIC}; copies of few images vary by which they are",
    ("precision", BLUR): "a weak blur leaves the image within what the real ones span",
    ("density", BLUR): "a weak blur draws images to where real ones are dense, which density rewards",
    ("recall", COPIES): "four or more copies of an image have no other neighbour, so that recall is 0 from then on",
    ("is", COPIES): "it looks at the classes that are seen, which a tenth of the images still shows",
    ("swd", CLASSES): "it compares patches, of which one class may have more usual ones than four",
    ("swd", COPIES): "it compares patches, of which a tenth of the images still has enough",
    (
        "ms-ssim",
        NOISE,
    ): "noise makes pairs less alike, and weak noise little; it is a measure of diversity, not of quality",
    ("ms-ssim", CLASSES): "pairs of more classes are not always less alike",
    ("ms-ssim", COPIES): "equal pairs are rare before few images are left",
}
UNEXPECTED = "not expected"


def markdown(report: Mapping[str, Any]) -> str:
    """The whole report."""
    dataset = report["dataset"]
    text = (
        f"The real side is {report['samples']:,} test images of {dataset['title']} (fingerprint "
        f"{dataset['test']['fingerprint'][:12]}), the generated side as many of its training images "
        f"({dataset['train']['fingerprint'][:12]}), as they are and spoiled; seed {report['seed']}. "
        f"{described(report['extractor'])} SWD and MS-SSIM are measured in pixels, SWD of "
        f"{report['swd_samples']:,} images of either side. {ARROWS['lower']} and "
        f"{ARROWS['higher']} say which way is better; of MS-SSIM that value is the better one which is nearer to the "
        f"real images', {digits(real_likeness(report))}."
    )
    legend = "\n".join(f"- {word}: {meaning}" for word, meaning in MEANING.items())
    return "\n\n".join(
        [
            heading(f"Sanity: {dataset['title']}", report),
            text,
            f"## Does it worsen with the harm?\n\n{verdicts(report)}\n\n{legend}",
            remarks(report),
            f"## The scores\n\n± is half the 95% interval, which takes samples for independent: repeated ones are not."
            f"\n\n{values(report)}\n",
        ]
    )


def verdicts(report: Mapping[str, Any]) -> str:
    """A row for each score, a column for each kind of harm."""
    found = {(name, spoiling): word for name, spoiling, word in all_verdicts(report)}
    rows = [
        [label(name, score), *(found[name, spoiling] for spoiling in SPOILINGS)]
        for name, score in scores_of(report["variants"][0], report["extractor"]["name"]).items()
    ]
    return table(["", *(spoiling.title for spoiling in SPOILINGS.values())], rows)


def all_verdicts(report: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Score, harm, and a key of MEANING."""
    for spoiling in SPOILINGS:
        for name, points in series(report, spoiling).items():
            yield name, spoiling, verdict(judged(name, points, report))


def remarks(report: Mapping[str, Any]) -> str:
    """Why, for each that does not worsen step by step."""
    found = [
        f"- {LABELS[name]}, {SPOILINGS[spoiling].title}: {word}; {REASONS.get((name, spoiling), UNEXPECTED)}."
        for name, spoiling, word in all_verdicts(report)
        if word != YES
    ]
    return (
        "\n".join(["Those that do not, or not at every step, with what we take for the reason:", "", *found])
        if found
        else "All do."
    )


def values(report: Mapping[str, Any]) -> str:
    """A row for each generated side, a column for each score."""
    extractor = report["extractor"]["name"]
    first = scores_of(report["variants"][0], extractor)
    rows = []
    for variant in report["variants"]:
        found = scores_of(variant, extractor)
        rows.append([side(variant), *(with_reach(found[name]) for name in first)])
    return table(["generated side", *(label(name, score) for name, score in first.items())], rows)


def side(variant: Mapping[str, Any]) -> str:
    """`Gaussian blur, sigma 2 px`."""
    spoiling = SPOILINGS.get(variant["spoiling"])
    return "unharmed" if spoiling is None else f"{spoiling.title}: {spoiling.said(variant['strength'])}"


def with_reach(score: Mapping[str, Any]) -> str:
    """Value and half the interval."""
    low, high = interval(score)
    return f"{digits(score['value'])} ± {digits((high - low) / 2)}"
