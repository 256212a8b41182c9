"""Jobs of this machine at a low priority, for a machine that somebody else works on"""

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from zoo.extensions import Ended, Executor, JobProcess, ZooError, hookimpl, job_command, start_job


@hookimpl
def executor(jobs: int | None, executor_option: Mapping[str, str]) -> Executor:
    niceness = executor_option.get("niceness", "19")
    if not niceness.isdecimal():
        raise ZooError(f"--executor-option niceness={niceness}: expected a number from 0 to 19.")
    return Nice(jobs or 1, niceness)


class Nice:
    def __init__(self, slots: int, niceness: str) -> None:
        self.slots = slots
        self.niceness = niceness
        self.jobs: dict[Path, JobProcess] = {}

    def start(self, path: Path) -> None:
        self.jobs[path] = start_job(path, ["nice", "-n", self.niceness, *job_command(path)], os.environ)

    def ended(self) -> Sequence[Ended]:
        codes = {path: job.exit_code() for path, job in self.jobs.items()}
        ended = [Ended(path, code) for path, code in codes.items() if code is not None]
        self.jobs = {path: job for path, job in self.jobs.items() if codes[path] is None}
        return ended

    def stop(self) -> None:
        for job in self.jobs.values():
            job.request_stop()
        while any(job.exit_code() is None for job in self.jobs.values()):
            time.sleep(0.1)

    def close(self) -> None:
        self.stop()
