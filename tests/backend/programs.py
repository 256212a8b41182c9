"""Runs programs in processes of their own, on either backend."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

BACKENDS = ("tensorflow", "jax")
FAST_COMPILING = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"  # by XLA, of tiny nets
SECONDS = 3600  # after which a process that came nowhere hangs, on however busy a machine


@dataclass(frozen=True)
class Program:
    """A program of this folder with its words, or `-c CODE` and the like, on a backend."""

    backend: str
    words: Sequence[object]

    def started(self, environment: Mapping[str, str]) -> subprocess.Popen[str]:
        """Running, its streams to be read."""
        first, *rest = (str(word) for word in self.words)
        what = first if first.startswith("-") else str(Path(__file__).with_name(first))
        variables = {**os.environ, "KERAS_BACKEND": self.backend, **environment}
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen([sys.executable, what, *rest], env=variables, **pipes)


def run_together(programs: Sequence[Program], **environment: str) -> list[str]:
    """What each program wrote to stderr, all running at once; fails where one failed."""
    processes = [each.started(environment) for each in programs]
    try:
        ended = [process.communicate(timeout=SECONDS) for process in processes]
    finally:
        for process in processes:
            process.kill()  # without effect on those that have ended
            process.communicate()
    for process, (_, err) in zip(processes, ended, strict=True):
        assert process.returncode == 0, err[-5000:]
    return [err for _, err in ended]
