"""Seconds, of the wall and of the cores, and peaks of memory."""

import resource
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

STATUS = Path("/proc/self/status")
INTERVAL = 0.005  # seconds between looks at the memory


def measured(work: Callable[[], int]) -> dict[str, float]:
    """`work` returns how many images it has seen."""
    began, busy = time.perf_counter(), cpu_seconds()
    images = work()
    return {"images": images, "seconds": time.perf_counter() - began, "cpu_seconds": cpu_seconds() - busy}


def paced(batch: Callable[[int], Any], batches: int, size: int) -> dict[str, float]:
    """The same of so many batches, each made by its number."""

    def all_of_them() -> int:
        for number in range(batches):
            batch(number)
        return batches * size

    return measured(all_of_them)


def cpu_seconds() -> float:
    """What all threads of the process have computed."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def peaks(work: Callable[[], int]) -> dict[str, float]:
    """Peaks in bytes: `anonymous`, of what the process itself allocated, looked at again and again; `resident`, of that
    and of pages of files, which the kernel counts without a gap.

    `work` returns how many bytes it has prepared. Not `ru_maxrss`: Linux hands it on through fork and exec, so that it
    may be the parent's.
    """
    highest = [bytes_of("RssAnon")]
    ended = threading.Event()

    def look() -> None:
        while not ended.wait(INTERVAL):
            highest[0] = max(highest[0], bytes_of("RssAnon"))

    watcher = threading.Thread(target=look)
    watcher.start()
    began = time.perf_counter()
    prepared = work()
    seconds = time.perf_counter() - began
    ended.set()
    watcher.join()
    anonymous = max(highest[0], bytes_of("RssAnon"))
    return {"prepared": prepared, "seconds": seconds, "anonymous": anonymous, "resident": bytes_of("VmHWM")}


def bytes_of(field: str) -> int:
    """A line of /proc/self/status."""
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(f"{field}:"))
    return int(line.split()[1]) * 1024
