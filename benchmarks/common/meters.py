"""Meters of wall time, CPU time and peak memory."""

import resource
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

STATUS = Path("/proc/self/status")
INTERVAL = 0.005  # seconds between two readings of the memory


def measured(work: Callable[[], int]) -> dict[str, float]:
    """Images, seconds and CPU seconds of `work`, which returns the number of images that it has processed."""
    began, busy = time.perf_counter(), cpu_seconds()
    images = work()
    return {"images": images, "seconds": time.perf_counter() - began, "cpu_seconds": cpu_seconds() - busy}


def paced(batch: Callable[[int], Any], batches: int, size: int) -> dict[str, float]:
    """`measured` of that many batches of `size` images, each made by calling `batch` with its number."""

    def all_of_them() -> int:
        for number in range(batches):
            batch(number)
        return batches * size

    return measured(all_of_them)


def cpu_seconds() -> float:
    """The CPU seconds of all threads of the process so far."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def peaks(work: Callable[[], int]) -> dict[str, float]:
    """Peaks in bytes: `anonymous` is memory that the process allocated, sampled every 5 ms; `resident` is that and
    mapped pages of files, counted by the kernel.

    `work` returns the number of bytes that it has prepared. `ru_maxrss` would not do: Linux keeps it through fork and
    exec, so that it may be the parent's.
    """
    highest = [bytes_of("RssAnon")]
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(INTERVAL):
            highest[0] = max(highest[0], bytes_of("RssAnon"))

    watcher = threading.Thread(target=watch)
    watcher.start()
    began = time.perf_counter()
    prepared = work()
    seconds = time.perf_counter() - began
    ended.set()
    watcher.join()
    anonymous = max(highest[0], bytes_of("RssAnon"))
    return {"prepared": prepared, "seconds": seconds, "anonymous": anonymous, "resident": bytes_of("VmHWM")}


def bytes_of(field: str) -> int:
    """The bytes in a field of /proc/self/status."""
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(f"{field}:"))
    return int(line.split()[1]) * 1024
