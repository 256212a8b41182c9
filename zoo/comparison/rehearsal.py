"""What can be known before anything is trained: that every stack is one on its data, and every score can be made.

That is tried in a process of its own which sees no GPU, because a GPU's memory belongs to the runs:
`python -m zoo.comparison.rehearsal` reads jobs from its input, and the last line that it prints is what was wrong.
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

WITHOUT_GPU = {VISIBLE: "", "JAX_PLATFORMS": "cpu", "TF_CPP_MIN_LOG_LEVEL": "3"}
Job = Mapping[str, Any]  # as job.json holds it


def rehearse(jobs: Sequence[Job], progress: Progress) -> None:
    """Raises ZooError with all that would stop any of the jobs: one of each variant on each dataset is enough."""
    if not jobs:
        return
    progress.note("Trying out every variant before training ...")
    process = subprocess.run(
        python_module("zoo.comparison.rehearsal", sys.executable),
        input=json.dumps({"jobs": jobs, "tell": not isinstance(progress, Silent)}),
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | WITHOUT_GPU,
    )
    if process.returncode:
        raise ZooError(f"Trying out the variants ended with exit code {process.returncode}.")
    if problems := json.loads(process.stdout.splitlines()[-1]):
        raise ZooError("\n".join(problems))


def main() -> None:
    """The program."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # the command that started it says what there is to say
    asked = json.load(sys.stdin)
    print(json.dumps(problems_of(asked["jobs"], as_progress(asked["tell"]))))


def problems_of(jobs: Sequence[Job], progress: Progress) -> list[str]:
    """A sentence for each mistake, beginning with where it is."""
    catalogue = read_catalogue([Path(each) for each in jobs[0]["plugins"]])
    backend.choose(jobs[0]["engine"]["backend"])
    backend.prepare()
    found = []
    for dataset in dict.fromkeys(job["dataset"] for job in jobs):
        here = [job for job in jobs if job["dataset"] == dataset]
        found += [f"{job['label']} on {dataset}: {why}" for job in here if (why := why_not(build, job, catalogue))]
        found += [f"{dataset}: {why}" for why in [why_not(score, here[0], catalogue, progress)] if why]
    return found


def why_not(attempt: Callable[..., None], *arguments: Any) -> str:
    """What it raises, in words; nothing where it succeeds."""
    try:
        attempt(*arguments)
    except ZooError as error:
        return str(error)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""


def build(job: Job, catalogue: Catalogue) -> None:
    """The job's networks and optimizers, for the samples that it would see."""
    from zoo.data import open_dataset
    from zoo.stacks.resolving import resolve_stack
    from zoo.training.players import build_players

    look, data_dir = read_of(job)
    data = open_dataset(job["dataset"], catalogue, data_dir=data_dir, options=look)
    stack = resolve_stack(job["stack"], catalogue, job["dataset"], job["settings"])
    engine = backend.engine(EngineOptions(precision=job["engine"]["precision"]))
    build_players(stack, data.sample_shape, data.classes, job["seed"], engine)


def score(job: Job, catalogue: Catalogue, progress: Progress) -> None:
    """The question that the job's checkpoints are asked, with its extractor and real samples."""
    from zoo.data import open_dataset
    from zoo.evaluation.asking import ask
    from zoo.evaluation.options import EvaluationOptions

    look, data_dir = read_of(job)
    asked = job["question"]
    options = EvaluationOptions(
        tuple(asked["metrics"]), samples=asked["samples"], extractor=asked["extractor"], data_dir=data_dir
    )
    training, real = (
        open_dataset(job["dataset"], catalogue, data_dir=data_dir, options=each, progress=progress)
        for each in (look, replace(look, split=options.split))
    )
    with tempfile.TemporaryDirectory() as scratch:
        ask(real, training, options, catalogue, Path(scratch), progress)


def read_of(job: Job) -> tuple[DataOptions, Path | None]:
    """How the job reads its data, and where that lies."""
    return DataOptions(**job["question"]["look"]), Path(job["data_dir"]) if job["data_dir"] else None


if __name__ == "__main__":
    main()
