"""Trains tiny stacks on one device and on two, or as one of two processes, and writes down what comes of it.

A program: `on_devices.py devices FOLDER CASE...`, or `on_devices.py process FOLDER INDEX COORDINATOR`.
"""

import json
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import refused_hooks
from tiny import POINTS, STACKS, Case

import zoo
from zoo import ZooError, backend
from zoo.backend.options import EngineOptions, Processes
from zoo.backend.policy import MIRRORED, TABLE
from zoo.training.trainer import Trainer

PLAIN = "generator_normalization=none"
DRAWS = "draws of every kind"
CASES = {
    "dropout, smoothed labels, an average": Case("vanilla+label_smoothing", (PLAIN, "average_decay=0.9"), POINTS),
    "convolutions": Case("convolutional"),
    "clipping, and power iteration": Case("vanilla+wgan", (PLAIN, "discriminator_normalization=spectral"), POINTS),
    "mixed samples, layer normalization": Case("vanilla+wgan_gp", (PLAIN, "dropout=0"), POINTS),
    "drawn labels": Case("conditional", classes=3),
    "observed, with further networks": Case("vanilla+observing+helping", (PLAIN,), POINTS),
    "derived fields, patches": Case("translating", shape=(8, 8, 3)),
    DRAWS: Case("vanilla+noisy", (PLAIN,), POINTS),
}
LONG_ON_JAX = (  # which divides whatever the hooks compute, after its own rules
    "clipping, and power iteration",
    "drawn labels",
    "observed, with further networks",
    "derived fields, patches",
)
NORMALIZED = Case("dcgan")
STEPS, FEW = 10, 3
DEVICES = (2, 1)  # two first: they can't be had when one has computed


def trainer(case: Case, devices: int) -> Trainer:
    """A trainer on so many devices."""
    return Trainer(case.made(), case.dataset(), 0, backend.engine(EngineOptions(devices=devices)))


def trained(case: Case, devices: int, steps: int) -> dict[str, Any]:
    """State and metrics after so many steps."""
    made = trainer(case, devices)
    metrics = made.train(steps)
    return {**made.state(), **{f"metrics/{name}": values for name, values in metrics.items()}}


def compared(name: str, case: Case, steps: int, folder: Path) -> None:
    """A case on two devices and on one."""
    for devices in DEVICES:
        np.savez(folder / f"{name}-{devices}.npz", **trained(case, devices, steps))


def moving_variance(folder: Path) -> None:
    """A generator's batch normalization after an update on two devices, and what it has normalized."""
    made = trainer(Case("vanilla", shape=POINTS), 2)
    kernel, bias = made.players.generator.layers[1].get_weights()
    seed = keras.random.SeedGenerator(0)
    seed.state.assign(made.feed.seed_states("generator", 0, 0)[0])  # the core's
    latents = made.stack.first("latents", real_batch={}, count=4, classes=None, seed=seed, recipe=made.recipe)
    made.train(1)
    found = made.players.generator.layers[2].moving_variance
    np.savez(folder / "moving variance.npz", features=np.asarray(latents) @ kernel + bias, found=np.asarray(found))


def carried(folder: Path) -> None:
    """A state that goes from one device to two and back, as it leaves and as it arrives."""
    states = [dict(np.load(folder / "convolutions-1.npz"))]
    for devices in DEVICES:
        made = trainer(CASES["convolutions"], devices)
        made.set_state({name: each for name, each in states[-1].items() if not name.startswith("metrics/")})
        states.append(made.state())
    for index, state in enumerate(states):
        np.savez(folder / f"carried-{index}.npz", **state)


def run_of(folder: Path) -> dict[str, Any]:
    """What all runs share: a few images of the folder, a small batch."""
    settings = {"batch_size": 4, "latent_size": 3, "average_decay": 0.9}
    plugins = [STACKS / "convolutional.py"]
    return {"dataset": folder / "images.npy", "settings": settings, "plugins": plugins, "progress": False}


def runs(folder: Path) -> dict[str, str]:
    """A run that goes on with two devices and then with one again, beside one that always has one."""
    told = {}
    for name, devices, steps in (("whole", 1, STEPS), ("crossing", 1, 3), ("crossing", 2, 6), ("crossing", 1, STEPS)):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", zoo.ZooWarning)
            options = EngineOptions(devices=devices)
            zoo.run("convolutional", out=folder / name, budget=zoo.Budget(steps), engine=options, **run_of(folder))
        told[f"{name} {steps}"] = " ".join(str(each.message) for each in caught if each.category is zoo.ZooWarning)
    return told


def refusal(attempt: Callable[[], object]) -> str:
    """The error."""
    try:
        attempt()
    except ZooError as error:
        return str(error)
    return "none"


def in_precision(name: str) -> None:
    """Build from here on in that precision."""
    keras.config.set_floatx(name)
    keras.config.set_dtype_policy(name)


def on_devices(folder: Path, *names: str) -> None:
    """Everything that one process can find out about devices, of the cases of these names."""
    backend.divide(max(DEVICES))
    TABLE["tensorflow", "cpu", "dense"] = MIRRORED  # XLA, of one device alone, draws other numbers from the same seeds
    in_precision("float64")
    for name in names:
        compared(name, CASES[name], STEPS, folder)
    moving_variance(folder)
    carried(folder)
    told: dict[str, str | float] = {**runs(folder)}
    in_precision("float32")
    compared("batch normalization", NORMALIZED, FEW, folder)
    told["odd"] = refusal(lambda: trainer(Case("vanilla", ("batch_size=5",)), 2))
    two = backend.engine(EngineOptions(devices=2))
    told["shared"] = refused_hooks.refusal(refused_hooks.SHARED, folder, two)
    nothing = refused_hooks.trainer_of(refused_hooks.NOTHING, folder, two)
    told["nothing"] = nothing.step()["discriminator_penalty/mine"]
    told["three"] = refusal(lambda: backend.engine(EngineOptions(devices=3)))
    (folder / "told.json").write_text(json.dumps(told))


def as_process(folder: Path, index: str, coordinator: str) -> None:
    """One of two processes that train a run together, and then go on with it."""
    several = EngineOptions(processes=Processes(int(index), 2, coordinator))
    for steps in (STEPS // 2, STEPS):
        zoo.run("convolutional", out=folder / index, budget=zoo.Budget(steps), engine=several, **run_of(folder))


if __name__ == "__main__":
    task, folder, *words = sys.argv[1:]
    {"devices": on_devices, "process": as_process}[task](Path(folder), *words)
