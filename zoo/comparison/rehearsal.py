"""Checks before any training that every stack can be built for its data, and that every score can be computed.

The checks run in a process of their own without a GPU, because a GPU's memory belongs to the runs:
`python -m zoo.comparison.rehearsal` reads jobs from stdin, and prints the problems as JSON in its last line.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from zoo import backend
from zoo.backend.options import EngineOptions
from zoo.base.progress import Progress, Silent, as_progress
from zoo.catalogue import Catalogue, read_catalogue
from zoo.comparison.executors.contract import python_module
from zoo.comparison.executors.devices import VISIBLE
from zoo.data.options import DataOptions
from zoo.errors import ZooError
from zoo.evaluation.translations import has_way_back

WITHOUT_GPU = {VISIBLE: "", "JAX_PLATFORMS": "cpu", "TF_CPP_MIN_LOG_LEVEL": "3"}
Job = Mapping[str, Any]  # the content of a job.json


def rehearse(jobs: Sequence[Job], progress: Progress) -> None:
    """Raises ZooError with every mistake that would stop one of the jobs; give one job of each variant and dataset."""
    if not jobs:
        return
    progress.note("Trying out every variant before training ...")
    if problems := problems_found_apart(jobs, progress):
        raise ZooError("\n".join(problems))


def problems_found_apart(jobs: Sequence[Job], progress: Progress) -> list[str]:
    """What `problems_of` finds in a process of its own."""
    process = subprocess.run(
        python_module("zoo.comparison.rehearsal", sys.executable),
        input=json.dumps({"jobs": jobs, "progress": not isinstance(progress, Silent)}),
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | WITHOUT_GPU,
    )
    if process.returncode:
        raise ZooError(f"Trying out the variants ended with exit code {process.returncode}.")
    return list(json.loads(process.stdout.splitlines()[-1]))


def main() -> None:
    """Checks the jobs on stdin, and prints the list of problems."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # the parent process reports Ctrl-C
    backend.use_whole_process()
    request = json.load(sys.stdin)
    print(json.dumps(problems_of(request["jobs"], as_progress(request["progress"]))))


def problems_of(jobs: Sequence[Job], progress: Progress) -> list[str]:
    """A sentence for each problem, beginning with the variant and dataset that have it."""
    catalogue = read_catalogue([Path(each) for each in jobs[0]["plugins"]])
    backend.choose(jobs[0]["engine"]["backend"])
    backend.prepare()
    found = []
    for dataset in dict.fromkeys(job["dataset"] for job in jobs):
        here = [job for job in jobs if job["dataset"] == dataset]
        generators: dict[str, Any] = {}
        for job in here:
            if why := problem_of(build, job, catalogue, generators):
                found.append(f"{job['label']} on {dataset}: {why}")
        for job, whose in alike(here, generators):
            if why := problem_of(score, job, catalogue, progress, generators.get(job["label"])):
                found.append(f"{whose}{dataset}: {why}")
    return found


def alike(jobs: Sequence[Job], generators: Mapping[str, Any]) -> list[tuple[Job, str]]:
    """A job of each kind of generator, by what metrics need of it; and whose it is, where there are several kinds."""
    kinds: dict[Any, Job] = {}
    for job in jobs:
        if generating := generators.get(job["label"]):
            kinds.setdefault((generating.is_conditional, generating.reads_batch, has_way_back(generating)), job)
    found = list(kinds.values()) or [jobs[0]]
    return [(job, f"{job['label']} on " if len(found) > 1 else "") for job in found]


def problem_of(check: Callable[..., None], *arguments: Any) -> str:
    """The message of the error that the check raises; "" where it raises none."""
    try:
        check(*arguments)
    except ZooError as error:
        return str(error)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""


@backend.fixed()
def build(job: Job, catalogue: Catalogue, generators: dict[str, Any]) -> None:
    """Builds the job's networks and optimizers for its dataset's sample shape; keeps the generator by its label."""
    from zoo.data import open_dataset
    from zoo.stacks.resolving import resolve_stack
    from zoo.training.players import build_players

    data_options, data_dir = data_of(job)
    data = open_dataset(job["dataset"], catalogue, data_dir=data_dir, options=data_options)
    stack = resolve_stack(job["stack"], catalogue, job["dataset"], job["settings"])
    engine = backend.engine(EngineOptions(precision=job["engine"]["precision"]))
    with data.telling_labels():
        generators[job["label"]] = build_players(stack, data.fields, job["seed"], engine).generating


def score(job: Job, catalogue: Catalogue, progress: Progress, generating: Any) -> None:
    """Prepares an evaluation of the job, with its extractor and the features of the real samples."""
    from zoo.data import open_dataset
    from zoo.evaluation.options import EvaluationOptions
    from zoo.evaluation.setup import evaluation_task

    data_options, data_dir = data_of(job)
    setup = job["question"]
    options = EvaluationOptions(
        tuple(setup["metrics"]), samples=setup["samples"], extractor=setup["extractor"], data_dir=data_dir
    )
    training, real = (
        open_dataset(job["dataset"], catalogue, data_dir=data_dir, options=each, progress=progress)
        for each in (data_options, replace(data_options, split=options.split))
    )
    with tempfile.TemporaryDirectory() as scratch:
        evaluation_task(real, training, options, catalogue, Path(scratch), progress, generating=generating)


def data_of(job: Job) -> tuple[DataOptions, Path | None]:
    """The job's data options and data directory."""
    return DataOptions(**job["question"]["look"]), Path(job["data_dir"]) if job["data_dir"] else None


if __name__ == "__main__":
    main()
