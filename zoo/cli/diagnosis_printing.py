"""The output of `zoo diagnose` as text, from the data that `--json` prints."""

from pathlib import Path
from typing import Any

from zoo.base.names import short_name
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


def explanation(found: dict[str, Any]) -> str:
    """The Jacobian's singular values, the names of the directions, and where the pictures are."""
    values = found["singular_values"]
    return "\n".join(
        [
            f"step {found['step']}: singular values of the generator's Jacobian from {values[0]:.3g} to "
            f"{values[-1]:.2g}, conditioning {found['conditioning']:.3g}",
            f"directions, a row each: {', '.join(found['directions'])}",
            *(str(path) for path in sorted(Path(found["folder"]).glob("*.png"))),
        ]
    )
