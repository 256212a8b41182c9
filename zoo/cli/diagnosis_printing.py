"""The output of `zoo diagnose` as text, from the data that `--json` prints."""

from pathlib import Path
from typing import Any

from zoo.base.names import short_name
from zoo.cli.comparison_printing import columns
from zoo.diagnosis.verdicts import overall


def diagnosed(found: dict[str, Any]) -> str:
    """The verdict, then a line for each objective of each trained generator, and where the rest is."""
    width = max((len(each["objective"]) for each in found["verdicts"]), default=0)
    lines = [f"{found['stack']} on {short_name(found['dataset'])}: {found['folder']}"]
    for steps in dict.fromkeys(each["trained"] for each in found["verdicts"]):
        lines.append(f"trained {steps} steps, the generator's gradient")
        lines += [
            f"  {each['objective']:<{width}}  {each['sentence']}"
            for each in found["verdicts"]
            if each["trained"] == steps
        ]
    lines += [f"  {each['game']}: {each.get('refused') or each.get('diverged')}" for each in found["refused"]]
    return "\n".join([*lines, overall(found["verdicts"]), str(Path(found["folder"]) / "report.html")])


def health_of_run(result: dict[str, Any]) -> str:
    """The verdict, the warnings with what to try, the next command, and where the rest is."""
    from zoo.diagnosis.of_run import summary

    return "\n".join([*summary(result), str(Path(result["folder"]) / "report.html")])


def depths(found: dict[str, Any]) -> str:
    """A line for each critic, and where the rest is."""
    width = max(len(name) for name in found["critics"])
    lines = [
        f"  {name:<{width}}  {each['norms'][0]:8.2g} at the first layer, {each['norms'][-1]:.2g} at the last: "
        f"{each['word']}; {each['weights']['at_ends']:.0%} of the weights at the ends of their range"
        for name, each in found["critics"].items()
    ]
    head = f"critics of {found['layers']} layers on {short_name(found['dataset'])}: the gradient by activations"
    return "\n".join([head, *lines, str(Path(found["folder"]) / "report.html")])


def own_depths(found: dict[str, Any]) -> str:
    """Of each player a row for each network, a column for each objective; why others were not measured."""
    from zoo.diagnosis.own_depth import PLAYERS, overall, reasons

    lines = [f"{found['stack']} on {short_name(found['dataset'])}, {found['steps']} steps of training"]
    objectives = dict.fromkeys(each["objective"] for each in found["measurements"])
    for player in PLAYERS:
        lines.append(f"orders of magnitude of the {player}'s gradient from its last layer to its first")
        rows = {"": {"network": "", **{name: name for name in objectives}}}
        for each in found["measurements"]:
            network, change = each["network"], each[player]["change"]
            row = rows.setdefault(network, {"network": f"  {network}", **dict.fromkeys(objectives, "")})
            row[each["objective"]] = "to 0" if change is None else f"{change:+.1f}"
        lines.append(columns(list(rows.values())))
    lines += [f"not measured: {networks}: {sentence}" for sentence, networks in reasons(found).items()]
    return "\n".join([*lines, overall(found), str(Path(found["folder"]) / "report.html")])


def explanation(found: dict[str, Any]) -> str:
    """The Jacobian's singular values, the names of the directions, and where the pictures are."""
    values = found["singular_values"]
    lines = [
        f"step {found['step']}: singular values of the generator's Jacobian from {values[0]:.3g} to "
        f"{values[-1]:.2g}, conditioning {found['conditioning']:.3g}",
        f"directions, a row each: {', '.join(found['directions'])}",
    ]
    if not values:
        lines = [f"step {found['step']}: the generator draws no latents, so there are no directions"]
    return "\n".join(
        [
            *lines,
            *(str(path) for path in sorted(Path(found["folder"]).glob("*.png"))),
        ]
    )
