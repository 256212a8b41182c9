"""Runs a measurement in a process of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT = 600  # seconds for one reply


def fresh_answer(
    module: str, measurement: str, given: Mapping[str, Any], backend: str = "tensorflow"
) -> dict[str, Any]:
    """The JSON that `python -m MODULE MEASUREMENT JSON` prints."""
    command = [sys.executable, "-m", module, measurement, json.dumps(given)]
    quiet = {**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(command, cwd=ROOT, env=quiet, capture_output=True, text=True, timeout=TIMEOUT)
    if done.returncode:
        raise SystemExit(f"{measurement} failed:\n{done.stderr[-2000:]}")
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer
