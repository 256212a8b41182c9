"""One trial of each part but the fuzzing: what is done to a run, and whether it then goes on bit for bit."""

import contextlib
import os
import resource
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

from .runs import HANG, LONGEST, Bench, Subject, differences, start

Process = subprocess.Popen[str]
Outcome = dict[str, Any]
SAVING = 60.0  # seconds that a first compilation may take on a loaded machine before a signal is heeded
SIGNALS = ("SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGQUIT", "SIGINT", "SIGINT twice", "reader gone")
FOLDERS = ("run vanishes", "run is moved", "data vanishes", "run is read-only")


def trial(bench: Bench, part: str, number: int) -> Outcome:
    """Does one thing to one run, lets the same command go on, and compares with the run that nothing interrupted."""
    draw, subject = bench.draw(part, number), bench.subject(number)
    folder = bench.folder(part, number)
    kind, what = "?", subject.name
    try:
        whole, seconds = bench.whole(subject)
        attempt = Attempt(bench, subject, folder, draw, seconds)
        kind, faults = PARTS[part](attempt, number)
        what = f"{subject.name}, {attempt.what}"
        faults += attempt.finish(whole)
    except subprocess.TimeoutExpired as error:
        faults = [f"hang: {error.timeout:g} s"]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    end = faults[0].partition(":")[0] if faults else "equal"
    return {"kind": kind, "what": what, "end": end, "detail": "; ".join(faults)}


class Attempt:
    """One run that something happens to."""

    def __init__(self, bench: Bench, subject: Subject, folder: Path, draw: Random, seconds: float) -> None:
        self.bench, self.subject, self.draw, self.seconds = bench, subject, draw, seconds
        self.out, self.data = folder / "run", folder / "data"
        self.what = ""

    def start(self, **options: Any) -> Process:
        return start(self.bench.words(self.subject, self.out, self.data), **options)

    def at_random(self, process: Process, first: float = 0.0) -> float:
        """Waits until a random moment of the run, or its end; returns the seconds."""
        moment = self.draw.uniform(first, 1.05) * self.seconds
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(moment)
        return moment

    def finish(self, whole: Path) -> list[str]:
        """Lets the same command go on; what is then wrong, if anything."""
        process = self.start()
        _, err = process.communicate(timeout=LONGEST)
        if process.returncode:
            return [f"does not go on: {err.strip().splitlines()[-1:]}"]
        found = differences(self.out, whole)
        return [f"different: {', '.join(found)}"] if found else []


def ended(process: Process, within: float, codes: tuple[int, ...]) -> list[str]:
    """What is wrong with how a process ends, if anything: a hang, a traceback, an exit code."""
    try:
        _, err = process.communicate(timeout=within)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return [f"hang: more than {within:g} s"]
    if "Traceback" in (err or "") or "This is not your mistake" in (err or ""):
        return [f"traceback: {err[-1500:]}"]
    if process.returncode not in codes:
        return [f"exit code: {process.returncode}, {(err or '')[-500:]}"]
    return []


def kills(attempt: Attempt, number: int) -> tuple[str, list[str]]:
    """kill -9 once to three times, at random moments: importing, preparing, compiling, training, scoring, saving."""
    times = attempt.draw.choice((1, 1, 2, 3))
    for _ in range(times):
        process = attempt.start(stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        attempt.what += f"kill -9 after {attempt.at_random(process):.1f} s, "
        process.kill()
        process.wait()
    return "kill -9", []


def signals(attempt: Attempt, number: int) -> tuple[str, list[str]]:
    """A signal at a random moment: the process saves and ends in time, with its code and without a traceback."""
    kind = SIGNALS[number // 8 % len(SIGNALS)]
    process = attempt.start()
    moment = attempt.at_random(process, first=0.0)
    attempt.what = f"{kind} after {moment:.1f} s"
    if kind == "reader gone":
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()
        process.wait(LONGEST)
        return kind, [] if process.returncode == 0 else [f"exit code: {process.returncode}"]
    name = kind.split()[0]
    for _ in range(len(kind.split())):
        if process.poll() is None:
            os.kill(process.pid, getattr(signal, name))
            time.sleep(0.7)
    value = int(getattr(signal, name))
    # Before the zoo's first line runs, a signal ends Python in its own way; 1 of Python, while it is being imported.
    return kind, ended(process, HANG + SAVING, (0, 128 + value, -value, *((1,) if name == "SIGINT" else ())))


@contextlib.contextmanager
def small_disk(folder: Path, size: int) -> Iterator[bool]:
    """Mounts a file system of so many bytes on a folder; yields False where this system does not allow it."""
    folder.mkdir(parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    mounted = subprocess.run(mount, capture_output=True).returncode == 0
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(folder)], capture_output=True)


def disks(attempt: Attempt, number: int) -> tuple[str, list[str]]:
    """A disk that is full after a random number of bytes; where none can be mounted, a limit of each file's length."""
    size = int(10 ** attempt.draw.uniform(3.5, 6.5))
    disk = attempt.out.parent / "disk"
    kept = attempt.out
    with small_disk(disk, size) as mounted:
        if mounted:
            attempt.out = disk / "run"
            faults = ended(attempt.start(), LONGEST, (0, 1, 2))
            if attempt.out.exists():
                shutil.copytree(attempt.out, kept)
        else:

            def limit() -> None:
                signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
                resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

            faults = ended(attempt.start(preexec_fn=limit), LONGEST, (0, 1, 2))
    attempt.out = kept
    attempt.what = f"{'a disk' if mounted else 'files'} of {size:,} bytes"
    return ("full disk" if mounted else "limited files"), faults


def folders(attempt: Attempt, number: int) -> tuple[str, list[str]]:
    """The run's or the data's folder vanishes or can't be written any more, while the run trains."""
    kind = FOLDERS[number // 8 % len(FOLDERS)]
    process = attempt.start()
    moment = attempt.at_random(process)
    attempt.what = f"{kind} after {moment:.1f} s"
    target = attempt.data if kind.startswith("data") else attempt.out
    aside = target.with_name("aside")
    if target.exists() and process.poll() is None:
        if kind == "run is read-only":
            target.rename(aside)
            target.symlink_to("/proc")  # where nobody can write, not even an administrator
        else:
            target.rename(aside)
    faults = ended(process, LONGEST, (0, 1, 2))
    if target.is_symlink():
        target.unlink()
    if aside.exists() and kind != "run vanishes":
        shutil.rmtree(target, ignore_errors=True)
        aside.rename(target)
    return kind, faults


def pairs(attempt: Attempt, number: int) -> tuple[str, list[str]]:
    """Two processes at once prepare the same data and train the same run: one trains it, the other one is refused."""
    first = attempt.start()
    time.sleep(attempt.draw.uniform(0, 0.3) * attempt.seconds)
    second = attempt.start()
    attempt.what = "two at once"
    faults = [*ended(first, LONGEST, (0, 2)), *ended(second, LONGEST, (0, 2))]
    if not faults and first.returncode and second.returncode:
        faults = ["exit code: both were refused"]
    return "two processes", faults


def clocks(attempt: Attempt, number: int) -> tuple[str, list[str]]:
    """The clock is set back by up to a year at a random moment, and the process is killed later."""
    after, back = attempt.draw.uniform(0, 1) * attempt.seconds, 10 ** attempt.draw.uniform(0, 7.5)
    process = attempt.start(
        variables={"ZOO_CLOCK": f"{after},{back}"}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    attempt.at_random(process, first=after / attempt.seconds)
    process.kill()
    process.wait()
    attempt.what = f"the clock {back:.0f} s back after {after:.1f} s"
    return "clock set back", []


PARTS: dict[str, Callable[[Attempt, int], tuple[str, list[str]]]] = {
    "kills": kills,
    "signals": signals,
    "disks": disks,
    "folders": folders,
    "pairs": pairs,
    "clocks": clocks,
}
