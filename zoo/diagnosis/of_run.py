"""The health of a run: what its metrics show over time, which warnings they bear out, and what to try next."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo import backend
from zoo.backend.options import EngineOptions
from zoo.base.files import write_json
from zoo.base.names import short_name
from zoo.base.plain_data import plain_json
from zoo.base.progress import Progress, as_progress
from zoo.catalogue import read_catalogue
from zoo.errors import ZooError
from zoo.evaluation.evaluation_file import EVALUATION, EvaluationFile
from zoo.health import PREFIX, Finding, findings, word
from zoo.runs.checkpoints import read_path
from zoo.training.data_of_run import DataOfRun
from zoo.training.run import Run, load

if TYPE_CHECKING:
    from zoo.training.trainer import Trainer

FOLDER = "health"  # of the run directory
RESULT = "health.json"
Line = dict[str, Any]


def diagnose_run(
    path: Path | str,
    *,
    dataset: str | None = None,
    data_dir: Path | str | None = None,
    out: Path | str | None = None,
    progress: Progress | bool = True,
) -> dict[str, Any]:
    """Say how healthy a run is or was, from its metrics; where they hold no health, from its checkpoints.

    Writes health.json, plots and a page into the folder `out` (`health` in the run directory), and returns what was
    found, JSON-ready. `dataset` is where the run's data lies now. Raises ZooError for a folder that is no run.
    """
    run = load(path, dataset, data_dir)
    shown = as_progress(progress)
    lines: list[Line] = run.metrics
    source = "metrics.jsonl"
    if not any(has_health(line) for line in lines):
        measured = of_checkpoints(run, data_dir, shown)
        lines, source = joined(lines, measured), "its checkpoints" if measured else source
    found = findings(lines, EvaluationFile(run.path / EVALUATION).read())
    folder = Path(out) if out else run.directory.outputs / FOLDER
    result = {
        "run": run.directory.called,
        "folder": str(folder),
        "stack": run.record["stack"],
        "dataset": run.record["dataset"]["name"],
        "seed": run.record["seed"],
        "steps": int(lines[-1]["step"]) if lines else 0,
        "source": source,
        "word": word(found),
        "verdict": verdict(found, lines, run.is_packed),
        "next": next_command(run, found),
        "findings": [each.as_dict() for each in found],
        "lines": lines,
    }
    from zoo.diagnosis.report.health import write_health_report

    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / RESULT, plain_json(result))
    write_health_report(result, folder)
    return result


def has_health(line: Mapping[str, Any]) -> bool:
    """Whether a line of metrics holds figures of health."""
    return any(name.startswith(PREFIX) for name in line)


def of_checkpoints(run: Run, data_dir: Path | str | None, progress: Progress) -> list[Line]:
    """Figures of each checkpoint that is kept, over one step of training that nobody keeps; none without the data."""
    paths = run.directory.checkpoints.paths()
    if not paths:
        return []
    backend.prepare()
    from zoo.training.health import HealthMeter
    from zoo.training.loading import completed

    found = list[Line]()
    with backend.fixed():
        try:
            trainer = trainer_of(run, data_dir, progress)
            meter = HealthMeter(trainer)
            for number, path in enumerate(paths):
                progress.counting("checkpoints", number, len(paths))
                state, _ = read_path(path)
                trainer.set_state(completed(state, trainer))
                meter.begin()
                trainer.step()
                found.append({"step": int(state["steps"]), **meter.end()})
        except ZooError as error:
            progress.note(f"Health is not measured from checkpoints: {error}")
    return found


def trainer_of(run: Run, data_dir: Path | str | None, progress: Progress) -> "Trainer":
    """A trainer like the run's, untrained; raises ZooError where the run's data is not to be found."""
    from zoo.training.trainer import Trainer

    folder = Path(data_dir) if data_dir else None
    data = DataOfRun(run.record["dataset"], run.path, read_catalogue(), folder, run.dataset, progress)
    engine = backend.engine(EngineOptions(precision=run.record["precision"]))
    return Trainer(run.stack, data.training(), run.record["seed"], engine)


def joined(lines: Sequence[Line], measured: Sequence[Line]) -> list[Line]:
    """Lines of metrics with what was measured at other steps among them."""
    by_step = {int(line["step"]): dict(line) for line in lines}
    for each in measured:
        by_step[each["step"]] = {**by_step.get(each["step"], {}), **each}
    return [by_step[step] for step in sorted(by_step)]


def verdict(found: Sequence[Finding], lines: Sequence[Line], is_packed: bool = False) -> str:
    """The likeliest cause with its evidence, or that nothing is wrong."""
    if not lines and not found:
        return (
            "Nothing is measured: a packed run has no metrics, and health needs its discriminator and its data."
            if is_packed
            else "Nothing is measured yet: metrics.jsonl is empty."
        )
    if not found:
        return f"Healthy: nothing is wrong up to step {lines[-1]['step']}."
    first, *others = found
    text = first.sentence
    if first.name == "vanishing gradient" and (layer := weakest_layer(lines)):
        text += f" It is weakest in layer {layer}."
    return text + (f" With it: {', '.join(each.name for each in others)}." if others else "")


def weakest_layer(lines: Sequence[Line]) -> str | None:
    """The generator's layer whose gradient fell most since it was first measured."""
    layers = layers_of(lines, "generator", "gradient")
    ratios = {name: pairs[-1][1] / pairs[0][1] for name, pairs in layers.items() if pairs[0][1] > 0}
    return min(ratios, key=lambda name: ratios[name]) if ratios else None


def layers_of(lines: Sequence[Mapping[str, Any]], player: str, kind: str) -> dict[str, list[tuple[int, float]]]:
    """(step, value) of each layer of a player, for gradient, weight, update or spectral."""
    prefix = f"{PREFIX}{player}/{kind}/"
    found: dict[str, list[tuple[int, float]]] = {}
    for line in lines:
        for name, value in line.items():
            if name.startswith(prefix):
                found.setdefault(name.removeprefix(prefix), []).append((int(line["step"]), float(value)))
    return dict(sorted(found.items()))


def next_command(run: Run, found: Sequence[Finding]) -> str:
    """What to type next."""
    stack, dataset = run.record["stack"], str(run.record["dataset"]["name"])
    if not found:
        return shlex.join(["zoo", "evaluate", run.directory.called])
    factors = found[0].factors
    settings = [
        word
        for name, value in run.record["recipe"].items()
        if name in factors or is_typed(run, name)
        for word in ("--set", f"{name}={text_of(value, factors.get(name))}")
    ]
    if not factors:
        return shlex.join(["zoo", "diagnose", stack, "--dataset", dataset, *settings])
    out = run.directory.outputs.with_name(f"{run.path.name}-mended")
    return shlex.join(["zoo", "run", stack, "--dataset", dataset, *settings, "--out", str(out)])


def is_typed(run: Run, name: str) -> bool:
    """Whether a recipe value came from the command line."""
    return bool(run.record["recipe_sources"].get(name) == "--set")


def text_of(value: Any, factor: float | None) -> str:
    """A recipe value as it is typed, multiplied where it is to be."""
    if factor is not None:
        return f"{float(value) * factor:.3g}"
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def summary(result: Mapping[str, Any]) -> Iterator[str]:
    """Yields the lines that a terminal shows."""
    yield f"{result['stack']} on {short_name(result['dataset'])}, {result['steps']} steps, by {result['source']}"
    yield result["verdict"]
    for each in result["findings"]:
        yield f"  step {each['step']}: {each['name']}. Try {', or '.join(each['tries'])}."
    yield f"Next:\n  {result['next']}"
