"""Jobs as processes of this machine; other executors use the same on the machines that their jobs run on."""

import math
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from zoo.base.interrupts import StopRequest, stop_requests
from zoo.comparison.executors import devices
from zoo.comparison.executors.contract import Ended, Executor, job_command
from zoo.hookspecs import hookimpl

LOG = "log.txt"
PAUSE = 0.05  # seconds between polls of a process
# The signals that a job gets when it is to end, each with the seconds until the next one. A second Ctrl-C ends it
# without saving; a checkpoint is whole at any time, so that nothing older is lost by SIGKILL.
ESCALATION = ((signal.SIGINT, 120.0), (signal.SIGINT, 15.0), (signal.SIGKILL, math.inf))
KEEPER = Path(__file__).with_name("keeper.py")

Command = Callable[[Path], list[str]]
Escalation = Sequence[tuple[signal.Signals, float]]


@hookimpl
def executor(jobs: int | None, threads: int | None) -> Executor:
    """Processes of this machine; its GPUs and cores are found now."""
    return LocalExecutor(jobs, threads)


class JobProcess:
    """A job's process, in a session of its own, so that Ctrl-C in the terminal reaches only the scheduler."""

    def __init__(self, process: subprocess.Popen[bytes], escalation: Escalation = ESCALATION) -> None:
        self._process = process
        self._left = list(escalation)
        self._whole = len(self._left)
        self._due = math.inf  # when the next of the escalation is sent, by time.monotonic

    def exit_code(self) -> int | None:
        """None while it runs; sends the next signal of an escalation when it is due."""
        code = self._process.poll()
        if code is None and time.monotonic() >= self._due:
            self.send_next_signal()
        return code

    def request_stop(self) -> None:
        """Have it save and end; a second call changes nothing."""
        if len(self._left) == self._whole:
            self.send_next_signal()

    def send_next_signal(self) -> None:
        """Send the next signal of the escalation without waiting until it is due."""
        if self._left and self._process.poll() is None:
            number, seconds = self._left.pop(0)
            self._due = time.monotonic() + seconds
            self._send(number)

    def _send(self, number: signal.Signals) -> None:
        if number == signal.SIGKILL:  # processes that the job started would otherwise go on
            os.killpg(self._process.pid, number)
        else:
            self._process.send_signal(number)


def start_job(
    path: Path,
    words: Sequence[str],
    environment: Mapping[str, str],
    escalation: Escalation = ESCALATION,
    folder: Path | None = None,
) -> JobProcess:
    """Start a job's command in `folder` or the working directory, its output added to the run directory's log."""
    launched = [sys.executable, "-I", "-S", str(KEEPER), str(os.getpid()), *words]
    with (path / LOG).open("ab") as log:
        process = subprocess.Popen(
            launched,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={"PYTHONUNBUFFERED": "1", **environment},  # a killed job's last lines are in its log
            cwd=folder,
            start_new_session=True,
        )
    return JobProcess(process, escalation)


@dataclass
class LocalExecutor:
    """This machine: jobs as processes, each with its share of the cores and, where there are GPUs, one of them."""

    jobs: int | None = None  # at once; None: one a GPU, without GPUs one for two cores
    threads: int | None = None  # of each job; None: the cores divided by the jobs
    gpus: tuple[str, ...] | None = None  # as CUDA_VISIBLE_DEVICES names them; None: those that there are
    command: Command = job_command
    escalation: Escalation = ESCALATION
    _running: dict[Path, tuple[JobProcess, str | None]] = field(default_factory=dict, init=False)  # and its GPU
    _ended: list[Ended] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        self._gpus = devices.gpus() if self.gpus is None else self.gpus
        self._jobs = self.jobs or len(self._gpus) or max(1, devices.cores() // 2)
        self._threads = self.threads or max(1, devices.cores() // self._jobs)

    @property
    def slots(self) -> int:
        return self._jobs

    def start(self, path: Path) -> None:
        """Begin a job on the GPU that the fewest use."""
        gpu = self._least_used()
        environment = dict(os.environ) | self._share(gpu)
        self._running[path] = start_job(path, self.command(path), environment, self.escalation), gpu

    def ended(self) -> Sequence[Ended]:
        self._poll()
        ended, self._ended = self._ended, []
        return ended

    def stop(self) -> None:
        """Ask every job to save and end, and wait until all have; Ctrl-C meanwhile sends the next signal at once."""
        self._each(JobProcess.request_stop)
        while self._running:
            try:
                time.sleep(PAUSE)
                self._poll()
            except KeyboardInterrupt:
                self._each(JobProcess.send_next_signal)

    def close(self) -> None:
        """Stop what runs still: it would outlive the scheduler."""
        self.stop()

    def _least_used(self) -> str | None:
        users = Counter(gpu for _, gpu in self._running.values())
        return min(self._gpus, key=lambda gpu: users[gpu], default=None)

    def _share(self, gpu: str | None) -> dict[str, str]:
        """The variables that give a job its share of the machine."""
        share = devices.of_threads(self._threads, os.environ)
        if gpu is not None:
            share[devices.VISIBLE] = gpu  # one of those that the user left visible
        if gpu is not None and self._jobs > len(self._gpus):
            share |= devices.of_sharing(os.environ, math.ceil(self._jobs / len(self._gpus)))
        return share

    def _each(self, act: Callable[[JobProcess], None]) -> None:
        for job, _ in self._running.values():
            act(job)

    def _poll(self) -> None:
        for path, (job, _) in list(self._running.items()):
            if (code := job.exit_code()) is not None:
                del self._running[path]
                self._ended.append(Ended(path, code))


@dataclass(frozen=True)
class Outcome:
    """How a remote job ended."""

    exit_code: int | None  # of the job's process; None where it could not begin
    signal: int | None = None  # the one upon which the process that runs the job had it save and end
    reason: str = ""

    def of_job(self, path: Path, requested: bool) -> Ended:
        """The end of the job at `path`; `requested` says that the executor itself had asked it to end."""
        if self.signal is None or requested or self.exit_code == 0:
            return Ended(path, self.exit_code, self.reason)
        name = signal.Signals(self.signal).name
        return Ended(path, self.exit_code, f"its place was taken away ({name}): preempted, or out of time")


def until_its_end(job: JobProcess, stop_request: StopRequest) -> int:
    """The exit code of a job, which is asked to end on the first signal, and gets the next one on a second Ctrl-C."""
    while True:
        try:
            if (code := job.exit_code()) is not None:
                return code
            if stop_request.number is not None:
                job.request_stop()
            time.sleep(PAUSE)
        except KeyboardInterrupt:
            job.send_next_signal()


@dataclass(frozen=True)
class RemoteJob:
    """A job to be run on another machine, with all that this needs to know of the machine that sends it."""

    path: Path  # absolute
    words: tuple[str, ...]
    threads: int
    overrides: dict[str, str]  # environment variables that the executor sets
    escalation: tuple[tuple[signal.Signals, float], ...]
    folder: Path  # the working directory
    variables: dict[str, str]  # of this environment, which say how a job computes
    python_path: str

    @classmethod
    def of(
        cls, path: Path, command: Command, threads: int, overrides: dict[str, str], escalation: Escalation
    ) -> "RemoteJob":
        """A job that is started from this process."""
        return cls(
            path.absolute(),
            tuple(command(path.absolute())),
            threads,
            overrides,
            tuple(escalation),
            Path.cwd(),
            devices.governing(os.environ),
            os.environ.get("PYTHONPATH", ""),
        )

    def run(self) -> Outcome:
        """Run the job to its end on the machine that this is called on; SIGINT and SIGTERM make it save and end."""
        if not self.path.is_dir():
            return Outcome(None, None, self._missing())
        folder = self.folder if self.folder.is_dir() else None
        with stop_requests() as stop_request:
            job = start_job(self.path, self._words(), self._environment(), self.escalation, folder)
            return Outcome(until_its_end(job, stop_request), stop_request.number)

    def _missing(self) -> str:
        return (
            f"The machine {socket.gethostname()} has no folder {self.path}. Jobs are run on machines that share their "
            "folders: name one of a file system that all of them see."
        )

    def _words(self) -> list[str]:
        """The command, by this machine's Python where it has not the one that it was made for."""
        python, *words = self.words
        return [python if Path(python).exists() else sys.executable, *words]

    def _environment(self) -> dict[str, str]:
        environment = dict(os.environ) | self.variables
        environment |= devices.of_threads(self.threads, environment)
        there = [each for each in self.python_path.split(os.pathsep) if each and Path(each).exists()]
        if there:
            environment["PYTHONPATH"] = os.pathsep.join([*there, *filter(None, [os.environ.get("PYTHONPATH")])])
        return environment | self.overrides
