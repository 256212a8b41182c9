"""One run of a comparison in a process of its own: `python -m zoo.comparison.job DIRECTORY` runs its job.json.

It trains, evaluates during training, evaluates the best checkpoint again on fresh latents, and writes outcome.json.
"""

import json
import os
import platform
import sys
import time
import traceback
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zoo import __version__, backend
from zoo.base.files import read_json, write_json
from zoo.base.interrupts import signals_interrupting
from zoo.base.output import steady_output
from zoo.base.shortages import OutOfMemory, described, is_shortage
from zoo.comparison.executors.devices import crowd
from zoo.errors import TrainingFailed, ZooError
from zoo.runs.directory import RunIsBusy

JOB, OUTCOME = "job.json", "outcome.json"
DONE, DIVERGED, FAILED = "done", "diverged", "failed"
EXIT_CODES = {DONE: 0, FAILED: 1, DIVERGED: 3}
CTRL_C = 130
BUSY = 75  # the exit code where another process writes the run, so that nothing was done
SEED_OF_BEST = 1  # seed of the latents for the best checkpoint's final score: those that chose it are biased


def main() -> None:
    """Runs the job, and exits with the code of its outcome."""
    warnings.simplefilter("ignore")  # warnings of libraries would fill the log
    backend.use_whole_process()
    with steady_output():  # a log on a full disk ends no run
        code = exit_code_of(Path(sys.argv[1]))
    sys.exit(code)


def exit_code_of(path: Path) -> int:
    """Runs the job, and writes its outcome."""
    try:
        with signals_interrupting():
            state, reason = attempt(path)
    except RunIsBusy as error:
        print(error, file=sys.stderr)
        return BUSY
    except KeyboardInterrupt as error:  # the run is saved, and a later job continues it
        print(error, file=sys.stderr)
        return getattr(error, "exit_code", CTRL_C)
    if state != DONE:
        print(reason, file=sys.stderr)
    write_outcome(path, state, reason)
    return EXIT_CODES[state]


def attempt(path: Path) -> tuple[str, str]:
    """Trains and evaluates; returns the state (done, diverged or failed) and, unless it is done, the reason."""
    try:
        train_and_score(path, json.loads((path / JOB).read_text(encoding="utf-8")))
    except RunIsBusy:
        raise
    except TrainingFailed as error:
        return DIVERGED, str(error)
    except OutOfMemory as error:
        return FAILED, f"{error}{crowd(os.environ)}"
    except ZooError as error:
        return FAILED, str(error)
    except Exception as error:
        traceback.print_exc()
        if is_shortage(error):  # of the final score: a run tells its own
            return FAILED, f"{described(error)}.{crowd(os.environ)}"
        return FAILED, f"{type(error).__name__}: {error}"
    return DONE, ""


def train_and_score(path: Path, job: Mapping[str, Any]) -> None:
    """Trains the run that job.json describes, and evaluates its best checkpoint on fresh latents."""
    import zoo
    from zoo.data.options import DataOptions
    from zoo.evaluation.options import BEST
    from zoo.evaluation.scoring import evaluate

    setup, data_options = job["question"], DataOptions(**job["question"]["look"])
    measured = {"samples": setup["samples"], "extractor": setup["extractor"]}
    options = zoo.EvaluationOptions(tuple(setup["metrics"]), **measured)
    run = zoo.run(
        job["stack"],
        dataset=job["dataset"],
        data=data_options,
        data_dir=job["data_dir"],
        budget=zoo.Budget(**setup["budget"]),
        seed=job["seed"],
        settings=job["settings"],
        plugins=job["plugins"],
        out=path,
        monitoring=zoo.Monitoring(evaluations=setup["evaluations"], evaluation=options, until=setup.get("until")),
        engine=zoo.EngineOptions(**job["engine"]),
    )
    data_dir = Path(job["data_dir"]) if job["data_dir"] else None
    if not setup.get("rescore_best", True):
        return
    fresh = zoo.EvaluationOptions(options.metrics, **measured, seed=SEED_OF_BEST, data_dir=data_dir)
    evaluate(run, checkpoint=BEST, options=fresh, plugins=job["plugins"])


def write_outcome(path: Path, state: str, reason: str, attempts: int = 1) -> None:
    """Writes outcome.json: the job's state and reason, and what it cost."""
    outcome = {
        "format": 1,
        "state": state,
        "reason": reason,
        "attempts": attempts,
        "ended": time.strftime("%Y-%m-%d %H:%M:%S %z"),
        "peak_memory": peak_memory(),
        "peak_device_memory": backend.peak_device_memory(),
        "machine": machine(),
        "zoo": __version__,
    }
    write_json(path / OUTCOME, outcome)


def read_outcome(path: Path) -> dict[str, Any] | None:
    """The content of outcome.json; None where the job has not ended."""
    return read_json(path / OUTCOME)


def peak_memory() -> int | None:
    """The peak memory of this process in bytes; None where the system does not say."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def machine() -> str:
    """`Linux x86_64, 8 cores, <processor>`: the machine, without its host name."""
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, {processor()}"


def processor() -> str:
    """The processor's model name, "" where it is not known."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


if __name__ == "__main__":
    main()
