"""The output of `zoo run`, `list`, `show` and `doctor` as text, from the data that `--json` prints."""

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from zoo.base.names import short_name
from zoo.catalogue.families import PLUGIN_FAMILIES, VARIANT_FAMILIES
from zoo.runs.pretrained import SOURCE

if TYPE_CHECKING:
    from zoo.training.run import Run

WELL = "healthy"
SHIPPED = ("registry.yaml:", SOURCE)  # how the source of what comes with the zoo begins


def run_summary(run: "Run") -> dict[str, Any]:
    """The paths of a finished run's files, and its last metrics, JSON-ready."""
    from zoo.evaluation.evaluation_file import EVALUATION, EvaluationFile  # which imports NumPy
    from zoo.health import word_of

    metrics, evaluations = run.metrics, EvaluationFile(run.path / EVALUATION).read()
    return {
        "stack": run.record["stack"],
        "dataset": run.record["dataset"]["name"],
        "run": str(run.path),
        "samples": str(run.directory.pictures()[-1]),
        "animation": str(run.directory.samples / "animation.webp"),
        "checkpoint": str(run.directory.checkpoints.paths()[-1]),
        "generator": str(run.directory.generator),
        "inputs": run.record.get("inputs", ["latents"]),
        "metrics": metrics[-1] if metrics else None,
        "health": word_of(metrics, evaluations),
        "is_scored": any(each["periodic"] for each in evaluations),
        "translates": (changing := changing_words(run)) is not None,
        "changing": changing,
    }


def changing_words(run: "Run") -> list[str] | None:
    """The options by which `zoo translate` says what images become; None of a generator that takes no images."""
    inputs = run.record.get("inputs", ())
    if "source" in inputs:
        return []
    if "samples" not in inputs:
        return None
    if "labels" in inputs:
        return ["--class", run.fields["labels"].all_names[0]]
    return [word for name in run.fields["attributes"].class_names for word in ("--condition", f"{name}=1")]


def run_report(summary: dict[str, Any], longer: str, place: str = "") -> str:
    """A run's summary with the next commands to try; `longer` is the command that trains it twice as long.

    `place` are the words that say where datasets live, with a space before them; nothing where they live as usual.
    """
    names = ("samples", "animation", "checkpoint", "generator", "health")
    files = "\n".join(f"  {name:<12}{summary[name]}" for name in names)
    following = "\n".join(f"  {each}" for each in next_commands(summary, longer, place))
    return f"{summary['stack']} on {short_name(summary['dataset'])}: {summary['run']}\n{files}\nNext:\n{following}"


def next_commands(summary: dict[str, Any], longer: str, place: str = "") -> list[str]:
    """What makes sense after this run: what its health asks for, its samples, its score, more training."""
    run = shlex.quote(summary["run"])
    found = [] if summary["health"] == WELL else [f"zoo diagnose {run}{place}   # what is wrong, and what to do"]
    if summary["translates"]:
        words = shlex.join(["IMAGE", *summary["changing"], "--out", "translated.png"])
        found.append(f"zoo translate {run} {words}   # an image of your own")
    found.append(f"zoo sample {run}{sampling(summary['inputs'])}")
    if not summary["is_scored"]:
        found.append(f"zoo evaluate {run}{place}   # how good it is")
    return [*found, f"{longer}   # train on"]


def sampling(inputs: Sequence[str]) -> str:
    """The options of `zoo sample` that suit what a generator takes, with what they do."""
    if inputs == ["latents"]:
        return " --interpolate   # walk between samples"
    if "labels" in inputs:
        return " --class 0   # of one class; without, a row for each"
    return "   # more of them"


def grouped(name: str, rows: Sequence[dict[str, Any]]) -> str:
    """A table for each family of the rows, in the order of the families, all below the name of what they are."""
    known = {"variants": VARIANT_FAMILIES, "plugins": PLUGIN_FAMILIES}.get(name, ("",))
    tables = [(each, some) for each in known if (some := [row for row in rows if row.get("family", "") == each])]
    return "\n".join(f"{name}{f', {each}' if each else ''}\n{table(some)}" for each, some in tables or [("", [])])


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Names, years where there are some, and descriptions in aligned columns."""
    width = max((len(row["name"]) for row in rows), default=0)
    years = [f"{row['year'] or '':<4}  " if "year" in row else "" for row in rows]
    lines = [f"  {row['name']:<{width}}  {year}{described(row)}" for row, year in zip(rows, years, strict=True)]
    return "\n".join(line.rstrip() for line in lines) or "  none"


def described(row: dict[str, Any]) -> str:
    """A row's summary, with a variant's plugins, and the place that it comes from if that is not the zoo."""
    plugins = f"  [{' + '.join(row['plugins'])}]" if "plugins" in row else ""
    return row["summary"] + plugins + ("" if row["source"].startswith(SHIPPED) else f"  ({row['source']})")


def shown(description: dict[str, Any]) -> str:
    """The output of `zoo show`."""
    lines = [description["stack"]]
    for each in description["plugins"]:
        lines += [f"  {each['name']}: {each['summary']}"]
        lines += [f"    When to use it: {each['when_to_use']}"] if each["when_to_use"] else []
    lines += ["", "formulas"]
    lines += [f"  {each['hook']}, of {each['plugin']}: {each['text']}" for each in description["formulas"]]
    lines += ["", f"recipe on {description['dataset']}"]
    width = max(len(name) for name in description["recipe"])
    for name, each in description["recipe"].items():
        lines.append(f"  {name:<{width}}  {each['value']!s:<16}  {each['source']}")
    lines += ["", f"models for samples {tuple(description['sample_shape'])}"]
    for role, each in description["models"].items():
        others = f", and {each['parameters_not_trained']:,} not trained" if each["parameters_not_trained"] else ""
        lines.append(f"  {role:<14}{each['input']} -> {each['output']}, {each['parameters']:,} parameters{others}")
    return "\n".join(lines)


def diagnosed(report: dict[str, Any]) -> str:
    """The output of `zoo doctor`."""
    prepared = [
        f"  {each['name']}: {each['description']}, {each['bytes'] / 2**20:.0f} MiB" for each in report["prepared"]
    ]
    return "\n".join(
        [
            "versions   " + ", ".join(f"{name} {version}" for name, version in report["versions"].items()),
            f"backend    {report['backend']}",
            f"devices    {', '.join(report['devices'])}",
            "a step is compiled as",
            *policies(report["policies"], report["backend"]),
            *numbers(report),
            f"data       {report['data_directory']} ({report['free_bytes'] / 2**30:.0f} GiB free)",
            *(prepared or ["  nothing prepared yet"]),
            f"  not prepared yet: {', '.join(report['not_prepared']) or 'none'}",
            f"problems   {len(report['problems']) or 'none'}",
            *(f"  {each}" for each in report["problems"]),
        ]
    )


def numbers(report: dict[str, Any]) -> list[str]:
    """What else digits depend on here, and what is fixed while the zoo computes."""
    if not report["numbers"]:
        return []
    found = dict(report["numbers"])
    variables = found.pop("environment")
    onednn = found.pop("onednn", None)
    parts = [f"{count} {name}" for name, count in found.items()]
    parts += [] if onednn is None else [f"oneDNN {'on' if onednn else 'off'}"]
    parts += [f"{name}={value}" for name, value in variables.items()]
    lines = [f"  {name}: {value}" for name, value in report["settings"].items()]
    return [f"digits by  {', '.join(parts) or 'nothing else'} (run.yaml records it)", *lines]


def policies(rows: Sequence[dict[str, str]], backend: str) -> list[str]:
    """The lines on how steps are compiled, with the chosen backend marked; `--json` has the reasons."""
    return [
        f"  {'*' if row['backend'] == backend else ' '} {row['backend']:<11}{row['device']:<8}{row['networks']:<16}"
        f"{row['policy']}"
        for row in rows
    ]
