"""A run as what is shared of it: weights in half precision, run.yaml, scores, samples and a card."""

import shlex
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from zoo import backend
from zoo.base.files import write_json
from zoo.base.names import short_name
from zoo.errors import ZooError
from zoo.evaluation.evaluation_file import EVALUATION, EvaluationFile
from zoo.runs.checkpoints import State
from zoo.runs.directory import RunDirectory
from zoo.runs.pretrained import PACKED
from zoo.training.run import Run, load
from zoo.training.run_yaml import PLUGIN_COPIES

CARD, SAMPLES = "README.md", "samples.png"
FORMAT = 1
HALF, SINGLE = "float16", "float32"
LEAST = 2.0**-14  # the smallest number that half precision holds with all of its digits


@dataclass(frozen=True)
class Packing:
    """What is kept of a run."""

    precision: str = HALF
    discriminator: bool = True  # which `zoo explain` and `zoo run --from` need
    whole: bool = False  # the last checkpoint as it is, to train on
    license: str | None = None  # of the weights, as SPDX calls it
    address: str | None = None  # where others find it, for the card; the folder's name unless it is given


def pack(run: Run | Path | str, out: Path | str, packing: Packing = Packing(), evaluate: bool = False) -> Path:
    """Write what is shared of a run into a new folder, which is a run again; returns the folder.

    The generator has the averaged weights where an average is kept. `evaluate` scores what was written, in place of
    the scores that the run has. Raises ZooError where the folder is not empty.
    """
    run = run if isinstance(run, Run) else load(run)
    folder = Path(out)
    if folder.exists() and any(folder.iterdir()):
        raise ZooError(f"{folder} is not empty. Choose another folder.")
    try:
        fill(folder, run, packing, evaluate)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return folder


def fill(folder: Path, run: Run, packing: Packing, evaluate: bool) -> None:
    """Write everything into the folder."""
    state, notes_of_run = run.directory.last_checkpoint()
    _ = run.stack  # which refuses code that is not trusted; its copy would not
    made = RunDirectory(folder)
    made.checkpoints.folder.mkdir(parents=True)
    if packing.whole:
        made.checkpoints.save(state, notes_of_run)
    else:
        made.checkpoints.save(packed_state(run, state, packing), notes_of_run, compressed=True)
    made.write_record(public_record(run.record))
    copy_code(run, folder)
    evaluations = [] if evaluate else scores_of(run, int(state["steps"]))
    if evaluations:
        EvaluationFile(folder / EVALUATION).write(evaluations)
    notes = {
        "format": FORMAT,
        "steps": int(state["steps"]),
        "precision": SINGLE if packing.whole else packing.precision,
    }
    if not packing.whole:
        write_json(folder / PACKED, {**notes, "license": packing.license, "summary": ""})
    draw_samples(folder)
    if evaluate:
        evaluate_packed(folder)
    finish(folder, packing, notes, evaluate or notes["precision"] == SINGLE)


def finish(folder: Path, packing: Packing, notes: Mapping[str, Any], measured_here: bool) -> None:
    """Write the card, and the line that lists show, from what the folder holds."""
    from zoo.sharing.card import card, summary_of

    run, evaluations = Run(RunDirectory(folder)), EvaluationFile(folder / EVALUATION).read()
    if not packing.whole:
        summary = summary_of(run.record, evaluations, notes["steps"])
        write_json(folder / PACKED, {**notes, "license": packing.license, "summary": summary})
    address = shlex.quote(packing.address or folder.name)
    text = card(run.record, evaluations, notes, packing.license, measured_here, address)
    (folder / CARD).write_text(text, encoding="utf-8")


@backend.fixed()
def packed_state(run: Run, state: State, packing: Packing) -> State:
    """The weights that samples are drawn with, and of the other players what trains no more."""
    from keras import ops

    sampler = run.sampler
    replaced = {id(variable): value for variable, value in [*sampler.averages(), *sampler.standing()]}
    names = [name for name in state if name.startswith("generator/")]
    found = {
        name: ops.convert_to_numpy(replaced.get(id(variable), variable))
        for name, variable in zip(names, sampler.generator.variables, strict=True)
    }
    if packing.discriminator:
        found |= {name: array for name, array in state.items() if is_of_other_player(name)}
    if packing.precision == HALF:
        found = {name: halved(array) for name, array in found.items()}
    return {**found, "steps": state["steps"]}


def is_of_other_player(name: str) -> bool:
    """Whether a variable is of the discriminator or of another network, and no optimizer's."""
    owner = name.partition("/")[0]
    return owner in ("discriminator", "plugin") or (owner.startswith("network_") and not owner.endswith("_optimizer"))


def halved(array: np.ndarray) -> np.ndarray:
    """The array in half precision; as it is where that would lose more than digits: counters, and what is too large."""
    if array.dtype != np.float32 or not np.isfinite(array).all() or np.abs(array).max(initial=0) > np.finfo("f2").max:
        return array
    half = array.astype(np.float16)
    return array if (np.abs(array).max(initial=0) < LEAST and array.any()) else half


def public_record(record: Mapping[str, Any]) -> dict[str, Any]:
    """run.yaml without the paths of the machine that trained."""
    dataset = {name: each for name, each in record["dataset"].items() if name not in ("path", "path_from_run")}
    dataset["name"] = short_name(str(dataset["name"]))
    found = {**record, "dataset": dataset}
    if "origin" in record:
        found["origin"] = {**record["origin"], "run": Path(record["origin"]["run"]).name}
    return without_folders(found, private_folders(record))


def private_folders(record: Mapping[str, Any]) -> list[str]:
    """The folders of a user's own data, which descriptions may name."""
    paths = [str(record["dataset"]["path"])] if "path" in record["dataset"] else []
    return sorted({str(Path(each).parent) for each in paths} - {"/", "."}, key=len, reverse=True)


def without_folders(value: Any, folders: list[str]) -> Any:
    """Plain data in whose texts these folders are left out of paths."""
    if isinstance(value, Mapping):
        return {name: without_folders(each, folders) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [without_folders(each, folders) for each in value]
    if isinstance(value, str):
        for each in folders:
            value = value.replace(f"{each}/", "")
    return value


def scores_of(run: Run, step: int) -> list[dict[str, Any]]:
    """The run's evaluations of the step that is packed, without paths."""
    found = [each for each in EvaluationFile(run.path / EVALUATION).read() if each["step"] == step]
    name = f"{run.record['stack']}@{short_name(str(run.record['dataset']['name']))}"
    cleaned = without_folders(found, private_folders(run.record))
    return [{**each, "scored": name, "pictures": {}} for each in cleaned]


def copy_code(run: Run, folder: Path) -> None:
    """The plugins' files that the run has copies of."""
    for each in run.record["plugins"]:
        if "sha256" in each:
            (folder / PLUGIN_COPIES).mkdir(exist_ok=True)
            name = f"{each['name']}.py"
            (folder / PLUGIN_COPIES / name).write_bytes((run.path / PLUGIN_COPIES / name).read_bytes())


def draw_samples(folder: Path) -> None:
    """64 samples of what was packed, none picked; none where samples are made of data, which may not be here."""
    from zoo.training.sample_files import Wanted, write_samples

    run = load(folder)
    if not run.sampler.needs_rows:
        write_samples(run, Wanted(), folder / SAMPLES)


def evaluate_packed(folder: Path) -> None:
    """Score what was packed; only the scores stay in the folder."""
    from zoo.evaluation.scoring import evaluate

    with tempfile.TemporaryDirectory() as scratch:
        evaluations = evaluate(folder, out=Path(scratch) / EVALUATION)
    record = load(folder).record
    name = f"{record['stack']}@{short_name(str(record['dataset']['name']))}"
    EvaluationFile(folder / EVALUATION).write([{**each, "scored": name, "pictures": {}} for each in evaluations])
