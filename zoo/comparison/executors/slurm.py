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

from zoo.comparison.executors.contract import Ended, Executor, job_command
from zoo.comparison.executors.local import ESCALATION, PAUSE, Command, Escalation, Outcome, RemoteJob
from zoo.errors import ZooError
from zoo.hookspecs import hookimpl

JOBS = 32  # submitted at once; the queue is Slurm's
CPUS = 2
MINUTES = 240  # short jobs begin sooner, and a run that takes longer continues in the next
SAVING = 90  # seconds before the time limit at which a job is asked to save
NOTE = "slurm-job.txt"  # in a run directory: which job trains it
ALIVE = ("PENDING", "CONFIGURING", "RUNNING", "COMPLETING", "SUSPENDED")
POLL_SECONDS = 1.0  # between polls of the jobs' files
STATE_SECONDS = 30.0  # between updates of the jobs' states: submitit alone would do so every ten minutes
RESULT_SECONDS = 30.0  # for which a shared file system may hide the result of a job that has ended
EXTRA_SECONDS = 60.0  # after an escalation's last signal, in which any job that can end has ended


@hookimpl
def executor(
    jobs: int | None,
    cpus: float | None,
    gpus: float | None,
    memory_gb: float | None,
    partition: str | None,
    time_limit: int | None,
    slurm: Sequence[str],
    folder: Path,
) -> Executor:
    """The cluster of this machine; raises ZooError where submitit or sbatch is missing."""
    return SlurmExecutor(
        folder / "slurm",
        partition,
        time_limit,
        whole("cpus", cpus),
        whole("gpus", gpus),
        memory_gb,
        tuple(slurm),
        jobs,
    )


def whole(name: str, amount: float | None) -> int | None:
    """The amount; raises ZooError for a part of one: Slurm divides no core and, unlike Ray, no GPU."""
    if amount is not None and amount != int(amount):
        raise ZooError(f"--{name} must be a whole number for Slurm, not {amount:g}.")
    return None if amount is None else int(amount)


def run(remote: RemoteJob) -> Outcome:
    """The batch job. A time limit, preemption and scancel all have it save and end."""
    signal.signal(signal.SIGUSR2, as_sigterm)  # submitit's own signal, which would have it give up
    return remote.run()


def as_sigterm(number: int, frame: FrameType | None) -> None:
    """A signal handler that passes any signal on as SIGTERM."""
    signal.raise_signal(signal.SIGTERM)


@dataclass
class SlurmExecutor:
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
    poll_seconds: float = POLL_SECONDS
    result_seconds: float = RESULT_SECONDS
    _running: dict[Path, Any] = field(default_factory=dict, init=False)  # submitit's jobs
    _over: dict[Path, float] = field(default_factory=dict, init=False)  # since when one has ended without a result
    _refused: list[Ended] = field(default_factory=list, init=False)
    _accepted: bool = field(default=False, init=False)  # whether Slurm ever took a job
    _stopping: bool = field(default=False, init=False)
    _polled: float = field(default=0.0, init=False)
    _states_asked: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        if importlib.util.find_spec("submitit") is None:
            raise ZooError("submitit, which speaks to Slurm, is not installed: pip install 'gan-zoo[slurm]'.")
        if self.cluster is None and not (shutil.which("sbatch") and shutil.which("srun")):
            raise ZooError("There is no sbatch on this machine's path. Jobs of Slurm are submitted on a login node.")
        import submitit

        logging.getLogger("submitit").setLevel(logging.ERROR)
        self._submitit = submitit
        self._executor = submitit.AutoExecutor(self.folder, cluster=self.cluster or "slurm")
        self._executor.update_parameters(**self._batch_parameters())

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
        ended, self._refused = self._refused, []
        now = time.monotonic()
        if self._running and now - self._polled >= self.poll_seconds:
            self._polled = now
            self._update_states(now)
            ended += [each for path, job in list(self._running.items()) if (each := self._end(path, job, now))]
        for each in ended:
            self._running.pop(each.path, None)
            self._over.pop(each.path, None)
        return ended

    def stop(self) -> None:
        """Cancel what waits, have what runs save and end, and wait until all have; the rest is cancelled."""
        self._stopping = True
        for job in self._running.values():
            self._request_stop(job)
        end = time.monotonic() + sum(grace for _, grace in self.escalation[:-1]) + EXTRA_SECONDS
        ended = list(self.ended())
        while self._running and time.monotonic() < end:
            time.sleep(PAUSE)
            ended += self.ended()
        for job in self._running.values():
            job.cancel(check=False)
        self._refused += ended  # returned by the next call of `ended`

    def close(self) -> None:
        """Leaves the jobs to Slurm: a later scheduler takes over those that run."""

    def _batch_parameters(self) -> dict[str, Any]:
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
        remote = RemoteJob.of(path, self.command, self.cpus or CPUS, {}, self.escalation)
        try:
            job = self._executor.submit(run, remote)
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

    def _update_states(self, now: float) -> None:
        if self.cluster is None and now - self._states_asked >= STATE_SECONDS:
            self._states_asked = now
            next(iter(self._running.values())).watcher.update()

    def _end(self, path: Path, job: Any, now: float) -> Ended | None:
        if job.paths.result_pickle.exists():
            return self._end_of(path, job)
        if not has_ended(job) or now - self._over.setdefault(path, now) < self.result_seconds:
            return None
        return Ended(path, None, f"the Slurm job {job.job_id} ended as {job.state}; see {job.paths.stderr}")

    def _end_of(self, path: Path, job: Any) -> Ended:
        try:
            outcome: Outcome = job.result()
        except self._submitit.core.utils.UncompletedJobError as error:
            return Ended(path, None, f"the Slurm job {job.job_id} failed: {str(error).strip().splitlines()[-1]}")
        return outcome.of_job(path, self._stopping)

    def _request_stop(self, job: Any) -> None:
        """SIGTERM to the job's task alone, without the SIGKILL that follows a plain scancel after half a minute."""
        if self.cluster == "local":
            with suppress(ProcessLookupError):
                os.kill(int(job.job_id), signal.SIGTERM)
            return
        for words in (["--state=PENDING"], ["--signal=TERM"]):
            subprocess.run(["scancel", *words, job.job_id], capture_output=True)


def has_ended(job: Any) -> bool:
    """Whether a job has ended according to Slurm; submitit takes a preempted job for one that is requeued."""
    return bool(job.done()) or str(job.state).startswith("PREEMPTED")


def parameter(text: str) -> tuple[str, Any]:
    """An option of sbatch from `name=value`, or from `name` alone."""
    name, equals, value = text.partition("=")
    name = name.strip().lstrip("-")
    if not name:
        raise ZooError(f"'{text}' is no option of sbatch. It is written name=value or name, such as account=vision.")
    return name, value if equals else True
