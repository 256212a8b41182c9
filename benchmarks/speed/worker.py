"""One contender in its own process: replies to each line of JSON on stdin with one on stdout.

    python -m benchmarks.speed.worker '{"spec": {...}, "threads": 2}'

load    {}                  import the contender's libraries: versions, device
build   {"case": {...}}     build the networks and train one step: what it took, counts of parameters
round   {"steps": n}        train n steps: seconds, the last losses
matmul  {"size": n, ...}    multiply matrices: operations a second
memory  {}                  peaks of the process and of the device, bytes
"""

import importlib
import json
import os
import resource
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any

from .cases import Adam, Case, RMSprop
from .contenders import Contender, Options, Spec

PRODUCTS = 8  # matrix products a call, so that the overhead of a call does not count


class Answers:
    """The replies of the process, by command."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.module: Any = None
        self.contender: Contender

    def load(self) -> dict[str, Any]:
        """Imports the contender's module."""
        self.module = importlib.import_module(f".workers.{self.options.spec.module}", __package__)
        return {"versions": self.module.versions(), "device": self.module.device_name()}

    def build(self, case: dict[str, Any]) -> dict[str, Any]:
        """Builds networks and data, and trains the first step."""
        began = time.perf_counter()
        self.contender = self.module.build(read_case(case), self.options)
        built = time.perf_counter()
        self.contender.train(1)
        return {
            "build_seconds": built - began,
            "first_step_seconds": time.perf_counter() - built,
            "parameters": self.contender.parameters,
            "notes": self.contender.notes,
        }

    def round(self, steps: int) -> dict[str, Any]:
        """Trains and times a round."""
        began = time.perf_counter()
        losses = self.contender.train(steps)
        return {"seconds": time.perf_counter() - began, "losses": losses}

    def matmul(self, size: int, dtype: str, seconds: float) -> dict[str, Any]:
        """The rate of a product of two square matrices: that of the best of repeated calls."""
        multiply = self.module.multiplication(size, dtype, PRODUCTS)
        multiply()
        best, until = float("inf"), time.perf_counter() + seconds
        while time.perf_counter() < until:
            began = time.perf_counter()
            multiply()
            best = min(best, time.perf_counter() - began)
        return {"flops": PRODUCTS * 2 * size**3 / best}

    def memory(self) -> dict[str, Any]:
        """The peak memory of the process, and of the device where that is known."""
        kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return {"process": kilobytes * 1024, "device": self.module.device_memory()}


def read_case(fields: dict[str, Any]) -> Case:
    """A case parsed from JSON."""
    optimizer = RMSprop if "rho" in fields["optimizer"] else Adam
    shapes = {name: tuple(fields[name]) for name in ("shape", "units")}
    return Case(**{**fields, **shapes, "optimizer": optimizer(**fields["optimizer"])})


def pin(threads: int) -> None:
    """Restricts this process to that many cores, before any library counts them."""
    cores = sorted(os.sched_getaffinity(0))[:threads]
    os.sched_setaffinity(0, cores)


def answer(command: Callable[..., dict[str, Any]], arguments: dict[str, Any]) -> dict[str, Any]:
    """The reply to a command, or its error: one contender's failure must not end the others' race."""
    try:
        return command(**arguments)
    except Exception as error:
        traceback.print_exc()
        return {"error": f"{type(error).__name__}: {error}"[:500]}


def main() -> None:
    """Serves requests until stdin ends."""
    given = json.loads(sys.argv[1])
    options = Options(Spec(**given["spec"]), given["threads"])
    pin(options.threads)
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # libraries' output must not mix with the replies
    answers = Answers(options)
    for line in sys.stdin:
        request = json.loads(line)
        reply = answer(getattr(answers, request.pop("command")), request)
        replies.write(json.dumps(reply) + "\n")
        replies.flush()


if __name__ == "__main__":
    main()
