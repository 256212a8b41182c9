"""The coordinator's side of a worker, a process that waits for requests on a pipe."""

import contextlib
import dataclasses
import json
import os
import select
import subprocess
import sys
from typing import IO, Any, cast

from benchmarks.common.processes import ROOT, TIMEOUT

from .contenders import Spec

GPU_SHARE = 0.15  # share of the GPU's memory that each JAX worker takes


class Worker:
    """The process of one contender."""

    def __init__(self, spec: Spec, python: str, threads: int, log: IO[bytes]) -> None:
        self.spec = spec
        options = json.dumps({"spec": dataclasses.asdict(spec), "threads": threads})
        self.process = subprocess.Popen(
            [python, "-m", "benchmarks.speed.worker", options],
            cwd=ROOT,
            env=environment(spec, threads),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )

    def send(self, command: str, **arguments: Any) -> None:
        """Sends a request without waiting for the reply."""
        with contextlib.suppress(BrokenPipeError):  # `receive` will return the error
            print(json.dumps({"command": command, **arguments}), file=self.process.stdin, flush=True)

    def receive(self) -> dict[str, Any]:
        """The next reply; its `error` says what went wrong, also where the process has ended."""
        replies = cast(IO[str], self.process.stdout)
        ready, _, _ = select.select([replies], [], [], TIMEOUT)
        line = replies.readline() if ready else ""
        if line:
            reply: dict[str, Any] = json.loads(line)
            return reply
        self.process.kill()
        return {"error": f"no answer, exit status {self.process.wait()}" if ready else f"no answer in {TIMEOUT} s"}

    def request(self, command: str, **arguments: Any) -> dict[str, Any]:
        """Sends a request, and returns the reply."""
        self.send(command, **arguments)
        return self.receive()

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()


def environment(spec: Spec, threads: int) -> dict[str, str]:
    """A worker's environment: with pinned threads, no compilation cache, and a share of the GPU's memory."""
    counts = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
    return {
        **os.environ,
        **dict.fromkeys(counts, str(threads)),
        "KERAS_BACKEND": spec.backend or "tensorflow",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "TF_FORCE_GPU_ALLOW_GROWTH": "true",
        "XLA_PYTHON_CLIENT_MEM_FRACTION": str(GPU_SHARE),
        "JAX_ENABLE_COMPILATION_CACHE": "false",
        "PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH")))),
    }


def started(specs: list[Spec], torch_python: str, threads: int, log: IO[bytes]) -> list[Worker]:
    """Starts the workers, which import their libraries in parallel; a failure to do so is in their first reply."""
    workers = [Worker(spec, torch_python if spec.is_torch else sys.executable, threads, log) for spec in specs]
    for worker in workers:
        worker.send("load")
    return workers
