"""Slurm, by submitit: each job is a batch job of one task, which runs the job as a process where Slurm places it."""

import importlib.util
import logging
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, Literal

from zoo.comparison.executors.contract import Ended
from zoo.comparison.executors.local import ESCALATION, PAUSE, Command, Errand, Escalation, Outcome, job_command
from zoo.errors import ZooError

JOBS = 32  # submitted at once; the queue is Slurm's
CPUS = 2
MINUTES = 240  # short jobs begin sooner, and a run that takes longer continues in the next
SAVING = 90  # seconds before the time limit in which a job is asked to save
NOTE = "slurm-job.txt"  # in a run directory: which job trains it
ALIVE = ("PENDING", "CONFIGURING", "RUNNING", "COMPLETING", "SUSPENDED")
LOOK_SECONDS = 1.0  # between looks at the jobs' files
STATE_SECONDS = 30.0  # between questions after the jobs' states: submitit alone would ask every ten minutes
RESULT_SECONDS = 30.0  # for which a shared file system may hide the result of a job that has ended
TOO_LATE = 60.0  # seconds after an escalation's last signal, in which a job that can end has ended


def run(errand: Errand) -> Outcome:
    """The batch job. Whatever asks it to end, a time limit, preemption or scancel, is one wish: to save and end."""
    signal.signal(signal.SIGUSR2, as_sigterm)  # submitit's own signal, which would have it give up
    return errand.run()


def as_sigterm(number: int, frame: FrameType | None) -> None:
    """A handler."""
    signal.raise_signal(signal.SIGTERM)


@dataclass
class SlurmEngine:
    """The cluster that this machine submits to; or, for tests, submitit's processes of this machine."""

    folder: Path  # for submitit's own files; on a file system that the cluster's machines share
    partition: str | None = None
    minutes: int | None = None
    cpus: int | None = None
    gpus: int | None = None
    memory_gb: float | None = None
    parameters: tuple[str, ...] = ()  # further options of sbatch: account=vision, constraint=a100, exclusive
    jobs: int | None = None
    cluster: Literal["local"] | None = None
    command: Command = job_command
    escalation: Escalation = ESCALATION
    look_seconds: float = LOOK_SECONDS
    result_seconds: float = RESULT_SECONDS
    _running: dict[Path, Any] = field(default_factory=dict, init=False)  # submitit's jobs
    _over: dict[Path, float] = field(default_factory=dict, init=False)  # since when one has ended without a result
    _refused: list[Ended] = field(default_factory=list, init=False)
    _accepted: bool = field(default=False, init=False)  # whether Slurm ever took a job
    _stopping: bool = field(default=False, init=False)
    _looked: float = field(default=0.0, init=False)
    _asked: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        if importlib.util.find_spec("submitit") is None:
            raise ZooError("submitit, which speaks to Slurm, is not installed: pip install 'gan-zoo[slurm]'.")
        if self.cluster is None and not (shutil.which("sbatch") and shutil.which("srun")):
            raise ZooError("There is no sbatch on this machine's path. Jobs of Slurm are submitted on a login node.")
        import submitit

        logging.getLogger("submitit").setLevel(logging.ERROR)
        self._submitit = submitit
        self._executor = submitit.AutoExecutor(self.folder, cluster=self.cluster or "slurm")
        self._executor.update_parameters(**self._asked_for())

    @property
    def slots(self) -> int:
        """How many jobs are submitted at once, waiting ones included."""
        return self.jobs or JOBS

    def start(self, path: Path) -> None:
        """Submit a job, unless an earlier scheduler's job for the folder waits or runs still: that is taken over."""
        if (job := self._taken_over(path)) is None:
            job = self._submitted(path)
        if job is not None:
            self._running[path] = job

    def ended(self) -> Sequence[Ended]:
        """The jobs that came to an end since the last call."""
        ended, self._refused = self._refused, []
        now = time.monotonic()
        if self._running and now - self._looked >= self.look_seconds:
            self._looked = now
            self._ask_for_states(now)
            ended += [each for path, job in list(self._running.items()) if (each := self._end(path, job, now))]
        for each in ended:
            self._running.pop(each.path, None)
            self._over.pop(each.path, None)
        return ended

    def stop(self) -> None:
        """Cancel what waits, have what runs save and end, and wait until all have; the rest is cancelled."""
        self._stopping = True
        for job in self._running.values():
            self._ask_to_end(job)
        end = time.monotonic() + sum(grace for _, grace in self.escalation[:-1]) + TOO_LATE
        ended = list(self.ended())
        while self._running and time.monotonic() < end:
            time.sleep(PAUSE)
            ended += self.ended()
        for job in self._running.values():
            job.cancel(check=False)
        self._refused += ended  # told by the next call

    def close(self) -> None:
        """Nothing: jobs belong to Slurm, and a later scheduler takes over those that run."""

    def _asked_for(self) -> dict[str, Any]:
        """What submitit writes into the batch file."""
        cpus = self.cpus or CPUS
        options = {
            "signal": f"TERM@{SAVING}",  # what preemption sends as well
            "no-requeue": True,  # the scheduler starts again what was preempted
            **dict(parameter(each) for each in self.parameters),
        }
        return {
            "name": "zoo",
            "timeout_min": self.minutes or MINUTES,
            "cpus_per_task": cpus,
            "gpus_per_node": self.gpus or None,
            "mem_gb": self.memory_gb,
            "slurm_partition": self.partition,
            "slurm_srun_args": [f"--cpus-per-task={cpus}"],  # which srun does not inherit since Slurm 22.05
            "slurm_additional_parameters": options,
        }

    def _submitted(self, path: Path) -> Any:
        errand = Errand.of(path, self.command, self.cpus or CPUS, {}, self.escalation)
        try:
            job = self._executor.submit(run, errand)
        except (self._submitit.core.utils.FailedJobError, RuntimeError, OSError) as error:
            self._refuse(path, error)
            return None
        self._accepted = True
        (path / NOTE).write_text(f"{job.job_id}\n")
        return job

    def _refuse(self, path: Path, error: Exception) -> None:
        """The first job's refusal is a mistake in the options; a later one may be the queue's limit, or its load."""
        reason = f"Slurm did not take the job: {error}"
        if not self._accepted:
            raise ZooError(reason) from error
        self._refused.append(Ended(path, None, reason))

    def _taken_over(self, path: Path) -> Any:
        note = path / NOTE
        if self.cluster is not None or not note.exists():
            return None
        job: Any = self._submitit.SlurmJob(folder=self.folder, job_id=note.read_text().strip())
        state = job.watcher.get_state(job.job_id, mode="force")
        alive = state.startswith(ALIVE) and not job.paths.result_pickle.exists()
        return job if alive else None

    def _ask_for_states(self, now: float) -> None:
        if self.cluster is None and now - self._asked >= STATE_SECONDS:
            self._asked = now
            next(iter(self._running.values())).watcher.update()

    def _end(self, path: Path, job: Any, now: float) -> Ended | None:
        if job.paths.result_pickle.exists():
            return self._told(path, job)
        if not has_ended(job) or now - self._over.setdefault(path, now) < self.result_seconds:
            return None
        return Ended(path, None, f"the Slurm job {job.job_id} ended as {job.state}; see {job.paths.stderr}")

    def _told(self, path: Path, job: Any) -> Ended:
        try:
            outcome: Outcome = job.result()
        except self._submitit.core.utils.UncompletedJobError as error:
            return Ended(path, None, f"the Slurm job {job.job_id} failed: {str(error).strip().splitlines()[-1]}")
        return outcome.progress(path, self._stopping)

    def _ask_to_end(self, job: Any) -> None:
        """SIGTERM to the job's task alone, without the SIGKILL that follows a plain scancel after half a minute."""
        if self.cluster == "local":
            with suppress(ProcessLookupError):
                os.kill(int(job.job_id), signal.SIGTERM)
            return
        for words in (["--state=PENDING"], ["--signal=TERM"]):
            subprocess.run(["scancel", *words, job.job_id], capture_output=True)


def has_ended(job: Any) -> bool:
    """Whether Slurm says so; submitit takes a preempted job for one that is requeued."""
    return bool(job.done()) or str(job.state).startswith("PREEMPTED")


def parameter(text: str) -> tuple[str, Any]:
    """An option of sbatch from `name=value`, or from `name` alone."""
    name, equals, value = text.partition("=")
    name = name.strip().lstrip("-")
    if not name:
        raise ZooError(f"'{text}' is no option of sbatch. It is written name=value or name, such as account=vision.")
    return name, value if equals else True
