"""Interleaved rounds: in each, every contender trains on the same number of real images."""

import dataclasses
import math
import time
from collections.abc import Sequence
from statistics import median
from typing import Any

from benchmarks.speed.processes import Worker

from .cases import Case

PAUSE = 0.2  # seconds after which the threads of the last contender sleep
GROWTH = 4  # factor by which trial rounds grow until a round's length is found
WHOLE = 50  # steps; long rounds are a multiple of it, which suits compiled loops

Results = dict[str, dict[str, Any]]


def race(case: Case, workers: Sequence[Worker], rounds: int, seconds: float) -> Results:
    """Each contender's result on the case, or its error."""
    results = {worker.spec.name: worker.request("build", case=dataclasses.asdict(case)) for worker in workers}
    running = [worker for worker in workers if "error" not in results[worker.spec.name]]
    if not running:
        return results
    steps = steps_of_a_round(running[0], seconds)
    times: dict[str, list[float]] = {worker.spec.name: [] for worker in running}
    for number in range(rounds + 1):
        for worker in running[number % len(running) :] + running[: number % len(running)]:
            if "error" in results[worker.spec.name]:
                continue
            time.sleep(PAUSE)
            reply = worker.request("round", steps=steps)
            results[worker.spec.name] |= reply
            times[worker.spec.name].append(reply.get("seconds", math.nan))
    for worker in running:
        result = results[worker.spec.name]
        if "error" not in result:
            result |= summary(times[worker.spec.name], steps, case) | {"memory": worker.request("memory")}
            result["start_seconds"] += result["build_seconds"] + result["first_step_seconds"]
    return results


def steps_of_a_round(worker: Worker, seconds: float) -> int:
    """The number of steps that take the first contender about that many seconds."""
    steps, took = 1, 0.0
    while took < seconds / GROWTH:
        steps = steps * GROWTH if took else steps
        took = worker.request("round", steps=steps).get("seconds", math.inf)
    steps = max(1, round(steps * seconds / took))
    return math.ceil(steps / WHOLE) * WHOLE if steps > WHOLE else steps


def summary(times: list[float], steps: int, case: Case) -> dict[str, Any]:
    """The summary of all rounds but the first, which warms up; its excess time counts as the start."""
    first, *timed = times
    images = steps * case.images_per_step
    return {
        "round_images": images,
        "round_seconds": timed,
        "images_per_second": images / median(timed),
        "start_seconds": max(0.0, first - median(timed)),
    }
