"""The runs of the campaign: tiny ones of four variants on both backends, and whether two are equal bit for bit."""

import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common.processes import ROOT

BACKENDS = ("tensorflow", "jax")
SMALL = ("width=2", "batch_size=8", "latent_size=4")
DENSE = ("generator_units=8", "discriminator_units=8", "batch_size=8", "latent_size=4")
VARIANTS = {  # stack and recipe values
    "vanilla": ("vanilla", (*DENSE, "average_decay=0.9")),
    "dcgan+r1": ("dcgan+r1", SMALL),
    "wgan-gp": ("wgan-gp", (*SMALL, "critic_steps=2")),
    "cgan-projection": ("cgan-projection", SMALL),
}
HANG = 10.0  # seconds that an end may take, beside what the saving of a loaded machine takes
LONGEST = 600.0  # seconds of a whole run
HOOKS = Path(__file__).with_name("hooks")


@dataclass(frozen=True)
class Subject:
    """One of the runs that is tried: its variant and backend."""

    variant: str
    backend: str

    @property
    def name(self) -> str:
        return f"{self.variant} on {self.backend}"


@dataclass(frozen=True)
class Bench:
    """The folder of the campaign, and what its runs are."""

    work: Path
    steps: int
    seed: int
    backends: Sequence[str]
    variants: Sequence[str]

    def draw(self, part: str, number: int) -> random.Random:
        """The random numbers of a trial."""
        return random.Random(f"{self.seed} {part} {number}")

    def subject(self, number: int) -> Subject:
        """The run of a trial: all pairs of variants and backends in turn."""
        every = [Subject(variant, backend) for variant in self.variants for backend in self.backends]
        return every[number % len(every)]

    @cached_property
    def images(self) -> Path:
        """Random labelled images: 96 of 16 x 16 pixels to train on, 40 to score against."""
        path = self.work / "images.npz"
        if not path.exists():
            self.work.mkdir(parents=True, exist_ok=True)
            draw = np.random.default_rng(0)
            arrays = {}
            for name, count in (("", 96), ("test_", 40)):
                arrays[f"{name}samples"] = draw.integers(0, 256, (count, 16, 16, 1), dtype=np.uint8)
                arrays[f"{name}labels"] = draw.integers(0, 4, count)
            np.savez(path, **arrays)
        return path

    def words(self, subject: Subject, out: Path, data: Path) -> list[str]:
        """The command of a run with evaluation and TensorBoard under way; a new `data` is prepared by it."""
        stack, settings = VARIANTS[subject.variant]
        chosen = [word for each in settings for word in ("--set", each)]
        files = ["--dataset", str(self.images), "--data-dir", str(data), "--out", str(out)]
        scored = ["--evaluate-every", str(max(1, self.steps // 3)), "--evaluate-samples", "20", "--metrics", "swd"]
        every = ["--steps", str(self.steps), "--checkpoint-every", str(max(1, self.steps // 20)), "--tensorboard"]
        return ["run", stack, *chosen, *files, *scored, *every, "--backend", subject.backend]

    def whole(self, subject: Subject) -> tuple[Path, float]:
        """The run that nothing interrupted, and the seconds that it took."""
        folder = self.work / "whole" / f"{subject.variant}-{subject.backend}-{self.steps}"
        note = folder / "seconds.json"
        if not note.exists():
            shutil.rmtree(folder, ignore_errors=True)
            began = time.monotonic()
            process = start(self.words(subject, folder / "run", folder / "data"))
            _, err = process.communicate(timeout=LONGEST)
            if process.returncode:
                raise SystemExit(f"{subject.name} fails without any interruption:\n{err}")
            note.write_text(json.dumps(time.monotonic() - began))
        return folder / "run", json.loads(note.read_text())

    def folder(self, part: str, number: int) -> Path:
        """An empty folder for a trial."""
        path = self.work / f"{part}-{number}"
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)
        return path


def start(words: Sequence[str], **options: Any) -> subprocess.Popen[str]:
    """Begins a zoo command in a session of its own, one thread, with the campaign's hooks."""
    env = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "TF_NUM_INTRAOP_THREADS": "1",
        "TF_NUM_INTEROP_THREADS": "1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        **options.pop("variables", {}),
        "PYTHONPATH": os.pathsep.join([str(HOOKS), str(ROOT), os.environ.get("PYTHONPATH", "")]),
    }
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "errors": "replace"}
    command = [sys.executable, "-P", "-m", "zoo", *words]
    return subprocess.Popen(command, env=env, start_new_session=True, **{**pipes, **options})


def differences(run: Path, whole: Path) -> list[str]:
    """What is not equal bit for bit in two runs: weights, metrics but for their seconds, pictures, scores."""
    found = []
    if state(run) != state(whole):
        found.append("the last checkpoint")
    if metrics(run) != metrics(whole):
        found.append("metrics.jsonl")
    if pictures(run) != pictures(whole):
        found.append("samples")
    if scores(run) != scores(whole):
        found.append("evaluation.json")
    return found


def state(run: Path) -> dict[str, tuple[str, bytes]]:
    """Every array of the last checkpoint."""
    last = sorted((run / "checkpoints").glob("step-*.npz"))[-1]
    with np.load(last) as archive:
        return {
            name: (str(archive[name].dtype), archive[name].tobytes()) for name in archive.files if name != "notes.json"
        }


def metrics(run: Path) -> list[dict[str, Any]]:
    """The lines of metrics.jsonl without their seconds."""
    return [{**json.loads(line), "seconds": 0} for line in (run / "metrics.jsonl").read_text().splitlines()]


def pictures(run: Path) -> dict[str, bytes]:
    """The sample pictures and the animation."""
    return {path.name: path.read_bytes() for path in (run / "samples").iterdir()}


def scores(run: Path) -> list[Any]:
    """The periodic scores with their steps."""
    evaluations = json.loads((run / "evaluation.json").read_text())["evaluations"]
    return [(each["step"], [(score["name"], score["value"]) for score in each["scores"]]) for each in evaluations]
