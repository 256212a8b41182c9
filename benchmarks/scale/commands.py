"""What a command costs: seconds, the processor's seconds, and the most memory that it held."""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.common.processes import ROOT


@dataclass(frozen=True)
class Cost:
    """Of one process, and of those that it started and waited for."""

    seconds: float
    cpu_seconds: float
    memory: int  # bytes, the peak of what was resident, of the largest process

    def row(self) -> dict[str, float]:
        """By name."""
        return asdict(self)

    def __str__(self) -> str:
        return f"{self.seconds:.1f} s, {self.cpu_seconds:.1f} CPU s, {self.memory / 2**20:,.0f} MiB"


def timed(words: Sequence[str], folder: Path) -> Cost:
    """Run `zoo` with these words in a folder; raises SystemExit where it fails."""
    quiet = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": str(ROOT)}
    began = time.perf_counter()
    with (folder / "output.txt").open("w+b") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "zoo", *words], cwd=folder, env=quiet, stdout=output, stderr=output
        )
        _, status, usage = os.wait4(process.pid, 0)  # subprocess does not tell what a child used
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - began
        if process.returncode:
            output.seek(0)
            raise SystemExit(f"zoo {' '.join(words)} failed:\n{output.read().decode()[-2000:]}")
    return Cost(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)
