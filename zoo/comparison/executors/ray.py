"""A Ray cluster: each job is a task, which runs the job as a process on whichever machine it lands."""

import importlib.util
import os
import secrets
import signal
import socket
import sys
import threading
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zoo.comparison.executors import devices
from zoo.comparison.executors.contract import Ended, Executor, job_command
from zoo.comparison.executors.local import ESCALATION, Command, Escalation, Outcome, RemoteJob
from zoo.errors import ZooError, ZooWarning
from zoo.hookspecs import hookimpl

GIB = 2**30
HERE = "local"  # Ray's address for a cluster of this machine alone
STORE_BYTES = 80 * 2**20  # about the least that Ray takes: nothing large is sent
SLOTS_SECONDS = 5.0  # for which the number of slots is remembered
ATTEMPTS = 3  # to start a cluster here: Ray gives up after 30 seconds, which a busy machine may exceed
CONNECT_SECONDS = 10.0  # for which an address is tried
EXTRA_SECONDS = 30.0  # after an escalation's last signal, in which any machine that still runs has answered


@hookimpl
def executor(
    address: str | None, jobs: int | None, cpus: float | None, gpus: float | None, memory_gb: float | None
) -> Executor:
    """The cluster at `address`; raises ZooError where Ray is missing or there is no connection."""
    return RayExecutor(address, jobs, cpus, gpus, memory_gb)


def run(job: RemoteJob) -> Outcome:
    """The task; a cancelled one gets SIGINT."""
    return job.run()


@dataclass
class RayExecutor:
    """The cluster at an address, or one that is started on this machine and ended with the executor."""

    address: str | None = None  # auto, ray://host:port or host:port; None: what RAY_ADDRESS says, else a new one
    jobs: int | None = None  # at once; None: as many as the cluster holds
    cpus: float | None = None  # of each job; None: 2, or 1 where a new cluster has no more
    gpus: float | None = None  # of each job; None: 1 where the cluster has any
    memory_gb: float | None = None  # of each job, by which Ray places them
    command: Command = job_command
    escalation: Escalation = ESCALATION
    _running: dict[Any, Path] = field(default_factory=dict, init=False)  # by the reference to the task's result
    _stopping: bool = field(default=False, init=False)
    _slots: tuple[float, int] = field(default=(-SLOTS_SECONDS, 0), init=False)  # when they were counted, and how many

    def __post_init__(self) -> None:
        if importlib.util.find_spec("ray") is None:
            raise ZooError("Ray is not installed. Install it with pip install 'gan-zoo[ray]'.")
        import ray

        self._ray = ray
        self._ours = not ray.is_initialized()
        self._address = self.address or os.environ.get("RAY_ADDRESS") or HERE
        if self._ours:
            self._printer = replace_printer(lambda *_, **__: None)
            connect(self._address)
        self._resources = self._resources_of_job()
        self._task = ray.remote(run)
        self._terms = {
            "num_cpus": self._resources["CPU"],
            "num_gpus": self._resources["GPU"],
            "memory": int(self._resources["memory"]),
            "max_retries": 0,  # the scheduler starts again what failed
        }
        if not self._room():
            self._refuse_too_small()

    @property
    def slots(self) -> int:
        """How many jobs the machines hold now; at least one, on which a cluster that grows by demand may grow."""
        when, count = self._slots
        if time.monotonic() - when >= SLOTS_SECONDS:
            count = max(1, self._room())
            self._slots = time.monotonic(), count
        return min(count, self.jobs or count)

    def start(self, path: Path) -> None:
        """Hand a job to the cluster."""
        threads = max(1, int(self._resources["CPU"]))
        job = RemoteJob.of(path, self.command, threads, self._overrides(), self.escalation)
        self._running[self._task.options(**self._terms, name=path.name).remote(job)] = path

    def ended(self) -> Sequence[Ended]:
        if not self._running:
            return []
        references = list(self._running)
        ready, _ = self._ray.wait(references, num_returns=len(references), timeout=0)
        return [self._end_of(each, self._running.pop(each)) for each in ready]

    def stop(self) -> None:
        """Cancel every job, upon which it saves, and wait until all have ended, where need be by force."""
        self._stopping = True
        references = list(self._running)
        for each in references:
            self._ray.cancel(each, force=False, recursive=False)
        seconds = sum(grace for _, grace in self.escalation[:-1]) + EXTRA_SECONDS
        if references:
            _, unresponsive = self._ray.wait(references, num_returns=len(references), timeout=seconds)
            for each in unresponsive:
                self._ray.cancel(each, force=True, recursive=False)

    def close(self) -> None:
        """Stop what runs still, and leave the cluster, which ends if it was started here."""
        self.stop()
        if self._ours:
            self._ray.shutdown()
            replace_printer(self._printer)

    def _resources_of_job(self) -> dict[str, float]:
        """What each job needs of a machine, as Ray names it."""
        total = self._ray.cluster_resources()
        cpus = min(2.0, max(1.0, total.get("CPU", 2.0))) if self.cpus is None else self.cpus
        gpus = float(total.get("GPU", 0) >= 1) if self.gpus is None else self.gpus
        return {"CPU": cpus, "GPU": gpus, "memory": (self.memory_gb or 0) * GIB}

    def _room(self) -> int:
        """How many jobs the machines hold, each counted for itself: no job is spread over two."""
        machines = [node["Resources"] for node in self._ray.nodes() if node["Alive"]]
        return sum(fitting(each, self._resources) for each in machines)

    def _refuse_too_small(self) -> None:
        """Warns that no machine is large enough for a job; raises ZooError where none can join the cluster."""
        wanted = ", ".join(f"{name}: {amount:g}" for name, amount in self._resources.items() if amount)
        sentence = f"No machine of the Ray cluster has what a job needs ({wanted})."
        if self._ours and self._address == HERE:
            self.close()
            raise ZooError(f"{sentence} It is this machine alone, with {devices.cores()} cores.")
        warnings.warn(f"{sentence} Jobs wait until one joins it.", ZooWarning, stacklevel=4)

    def _overrides(self) -> dict[str, str]:
        """Ray makes a job's GPUs visible, and leaves all visible to one that needs none."""
        share = self._resources["GPU"]
        if not share:
            return {devices.VISIBLE: ""}
        return devices.of_sharing(os.environ, int(1 / share)) if share < 1 else {}

    def _end_of(self, reference: Any, path: Path) -> Ended:
        try:
            outcome: Outcome = self._ray.get(reference)
        except self._ray.exceptions.RayError as error:
            return Ended(path, None, why_lost(error))
        return outcome.of_job(path, self._stopping)


def fitting(machine: Mapping[str, float], wanted: Mapping[str, float]) -> int:
    """How many jobs that need so much a machine holds."""
    counts = [int(machine.get(name, 0) / amount + 1e-9) for name, amount in wanted.items() if amount]
    return min(counts, default=0)


def why_lost(error: Exception) -> str:
    """Why a job was lost, in a sentence instead of Ray's report."""
    known = {
        "WorkerCrashedError": "its Ray worker died or was killed",
        "OutOfMemoryError": "Ray ended its worker: the machine was short of memory",
        "TaskCancelledError": "it was cancelled before it began",
        "NodeDiedError": "its machine was lost",
        "LocalRayletDiedError": "Ray ended on its machine",
    }
    kind = type(error).__name__
    first, *_ = [*filter(None, map(str.strip, str(error).splitlines())), ""]
    return known.get(kind, f"{kind}: {first}")


def connect(address: str) -> None:
    """Connect this process to a cluster, without Ray's dashboard, notices, statistics and signal handlers."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # or it sends them
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
    if address == HERE:
        quiet |= {"num_cpus": devices.cores(), "include_dashboard": False, "object_store_memory": STORE_BYTES}
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))  # or it writes one into the home folder
    for left in reversed(range(ATTEMPTS if address == HERE else 1)):
        try:
            initialize(address, quiet)
            return
        except Exception as error:  # Ray raises many kinds, Exception itself among them
            if not left:
                raise no_connection(address, error) from error


def initialize(address: str, options: Mapping[str, Any]) -> None:
    """Calls ray.init; where it fails, Ray is as if nothing had been tried."""
    import ray

    check_listening(address)
    try:
        with own_sigterm():
            ray.init(address=address, **options)
    except Exception:
        ray.shutdown()
        raise


def no_connection(address: str, error: Exception) -> ZooError:
    """The error for a cluster that can't be reached, with what mends it where that is known."""
    first = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
    if address == HERE:
        return ZooError(f"Ray does not start on this machine: {first}.")
    hint = "If the cluster asks for a token, set RAY_AUTH_MODE=token."
    return ZooError(f"There is no connection to the Ray cluster '{address}': {first}. {hint}")


def check_listening(address: str) -> None:
    """Raises OSError where nothing listens at an address: Ray would try for minutes, and print that all the while."""
    host, colon, port = address.rpartition("://")[2].rpartition(":")
    if colon and port.isdecimal():
        socket.create_connection((host.strip("[]"), int(port)), CONNECT_SECONDS).close()


def replace_printer(printer: Any) -> Any:
    """Have Ray print by another function; returns the one before.

    Ray prints a line for every worker that dies to stdout, where a command's result belongs, and has no option for it.
    """
    worker = sys.modules["ray._private.worker"]
    before = getattr(worker, "print_to_stdstream", None)
    vars(worker)["print_to_stdstream"] = printer
    return before


@contextmanager
def own_sigterm() -> Iterator[None]:
    """Ray installs a handler of its own, by which a run would end unsaved."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if before is not None:  # one that no Python code installed
            signal.signal(signal.SIGTERM, before)
