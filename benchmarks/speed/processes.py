"""The coordinator's side of a worker: a process that sleeps on a pipe until it is asked."""

import contextlib
import dataclasses
import json
import os
import select
import subprocess
import sys
from typing import IO, Any, cast

from benchmarks.common.processes import PATIENCE, ROOT

from .contenders import Spec

GPU_SHARE = 0.15  # of the GPU's memory, that JAX takes for each of its workers


class Worker:
    """One contender's process."""

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

    def tell(self, command: str, **arguments: Any) -> None:
        """Ask, and don't wait."""
        with contextlib.suppress(BrokenPipeError):  # the answer will say that it has ended
            print(json.dumps({"command": command, **arguments}), file=self.process.stdin, flush=True)

    def answer(self) -> dict[str, Any]:
        """What it answers; under `error` what went wrong, its end included."""
        replies = cast(IO[str], self.process.stdout)
        ready, _, _ = select.select([replies], [], [], PATIENCE)
        line = replies.readline() if ready else ""
        if line:
            reply: dict[str, Any] = json.loads(line)
            return reply
        self.process.kill()
        return {"error": f"no answer, exit status {self.process.wait()}" if ready else f"no answer in {PATIENCE} s"}

    def ask(self, command: str, **arguments: Any) -> dict[str, Any]:
        """Ask and wait."""
        self.tell(command, **arguments)
        return self.answer()

    def stop(self) -> None:
        """End it."""
        self.process.kill()
        self.process.wait()


def environment(spec: Spec, threads: int) -> dict[str, str]:
    """This process' own, with pinned threads, a cold compiler, and a GPU's memory shared by all workers."""
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
    """Workers that have imported what they need, all at once; one that could not stays, and will say so."""
    workers = [Worker(spec, torch_python if spec.is_torch else sys.executable, threads, log) for spec in specs]
    for worker in workers:
        worker.tell("load")
    return workers
