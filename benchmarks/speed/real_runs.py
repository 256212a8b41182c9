"""Whole runs of `zoo run`, with their speed from metrics.jsonl."""

import argparse
import os
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common.runs import speeds

from .cases import Case

MODES: tuple[list[str], ...] = ([], ["--precision", "bfloat16"], ["--deterministic"])
TIMEOUT = 600  # seconds
IMAGES = 50_000  # random images in the dataset, where none is given


def real_run(case: Case, flags: list[str], dataset: str, folder: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    """One run's speed, or its error."""
    options = ["--images", str(arguments.run_images), *flags]
    options += [word for setting in case.settings for word in ("--set", setting)]
    shown = {"command": shlex.join(["zoo", "run", case.stack, "--dataset", Path(dataset).name, *options])}
    options += ["--dataset", dataset, *(["--data-dir", arguments.data_dir] if arguments.data_dir else [])]
    out = folder / "-".join([case.name, *flags])
    began = time.perf_counter()
    try:
        subprocess.run(
            [sys.executable, "-m", "zoo", "run", case.stack, *options, "--out", str(out)],
            env={**os.environ, "KERAS_BACKEND": arguments.run_backend},
            capture_output=True,
            text=True,
            check=True,
            timeout=TIMEOUT,
        )
    except subprocess.CalledProcessError as error:
        return shown | {"error": error.stderr.strip()[-500:]}
    except subprocess.TimeoutExpired:
        return shown | {"error": f"not done after {TIMEOUT} s"}
    seconds = time.perf_counter() - began
    return shown | {"command_seconds": seconds} | speeds(out, seconds)


def random_dataset(case: Case, folder: Path) -> str:
    """Writes a file of random images of the case's size."""
    path = folder / f"noise-{case.shape[0]}.npz"
    if not path.exists():
        samples = np.random.default_rng(0).integers(0, 256, (IMAGES, *case.shape), dtype=np.uint8)
        np.savez(path, samples=samples)
    return str(path)
