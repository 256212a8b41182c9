"""The output of `zoo evaluate` and `zoo scores` as text, from the data that `--json` prints."""

from collections.abc import Mapping, Sequence
from typing import Any

from zoo.data.prepared.directory import SHORT

ARROWS = {"lower": "lower is better", "higher": "higher is better", None: ""}


def evaluated(evaluations: Sequence[Mapping[str, Any]]) -> str:
    """Each evaluation's scores with their intervals, then the protocol that they share, then its pictures."""
    return "\n\n".join(one_evaluated(each) for each in evaluations)


def one_evaluated(evaluation: Mapping[str, Any]) -> str:
    """One evaluation's scores, protocol and pictures."""
    scores = evaluation["scores"]
    step = f", step {evaluation['step']}" if evaluation["step"] is not None else ""
    width = max(len(score["name"]) for score in scores)
    lines = [f"{evaluation['scored']}{step}, in {evaluation['seconds']:.0f} s"]
    lines += [f"  {score['name']:<{width}}  {score_text(score)}".rstrip() for score in scores]
    lines += protocol_lines(scores)
    lines += [f"  picture    {path}" for path in evaluation["pictures"].values()]
    return "\n".join(lines)


def score_text(score: Mapping[str, Any]) -> str:
    """`12.3   95% 11.8 to 12.8   lower is better`."""
    low_high = "95% " + " to ".join(number(end) for end in score["interval"]) if score["interval"] else ""
    return f"{number(score['value']):>9}  {low_high:<26}  {ARROWS[score['better']]}"


def number(value: float) -> str:
    """The value with four significant digits."""
    return f"{value:.4g}"


def protocol_lines(scores: Sequence[Mapping[str, Any]]) -> list[str]:
    """The protocol of an evaluation's scores: real samples, generated samples, extractor."""
    protocol = next((each["protocol"] for each in scores if each["protocol"]["extractor"]), scores[0]["protocol"])
    real, generated, extractor = protocol["real"], protocol["generated"], protocol["extractor"]
    lines = [
        f"  real       {real_text(real)}",
        f"  generated  {generated['count']:,}, {weights_text(generated)}, seed {protocol['seed']}",
    ]
    if extractor:
        name = " ".join(part for part in (extractor["name"], extractor["sha256"][:8]) if part)
        lines.append(f"  extractor  {name}, {extractor['preparation']}")
    return lines


def real_text(real: Mapping[str, Any]) -> str:
    """What was compared with: so many samples of a dataset, or statistics in a file."""
    known = f"{real['count']:,} of {real['dataset']}, split {real['split']}, {real['fingerprint'][:SHORT]}"
    if "statistics" not in real:
        return known
    protocol = known if real["count"] else f"their protocol is {real['protocol']}"
    return f"the statistics in {real['statistics']}; {protocol}"


def weights_text(generated: Mapping[str, Any]) -> str:
    """The weights that the samples were generated with, or `from files`."""
    if generated["weights"] == "files":
        return "from files"
    weights = "averaged" if generated["averaged"] else "the last"
    return f"{weights} weights ({generated['weights']}), BatchNorm in {generated['batch_norm']} mode"


def side_by_side(rows: Sequence[Mapping[str, Any]]) -> str:
    """A line for each run, a column for each score, and their protocol once."""
    names = list(dict.fromkeys(score["name"] for row in rows for score in row["scores"]))
    values = [{score["name"]: number(score["value"]) for score in row["scores"]} for row in rows]
    first = max(len(row["scored"]) for row in rows)
    widths = [max(len(name), *(len(each.get(name, "-")) for each in values)) for name in names]
    lines = [" " * first + "".join(f"  {name:>{width}}" for name, width in zip(names, widths, strict=True))]
    for row, each in zip(rows, values, strict=True):
        cells = "".join(f"  {each.get(name, '-'):>{width}}" for name, width in zip(names, widths, strict=True))
        lines.append(f"{row['scored']:<{first}}{cells}")
    return "\n".join([*lines, *protocol_lines([score for row in rows for score in row["scores"]])])
