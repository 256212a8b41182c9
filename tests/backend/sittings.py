"""Trains tiny stacks in one sitting and in several, by single calls and by the device's own loop.

A program: `sittings.py begin FOLDER`, and then, in a process of its own, `sittings.py continue FOLDER`; with `--all` it
does also what is LONG.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
from tiny import POINTS, Case

from zoo.training.trainer import Trainer

State = Mapping[str, np.ndarray]
TOTAL = 8  # steps
CASES = [
    Case("vanilla", ("average_decay=0.9",)),
    Case("dcgan", ("average_decay=0.9",)),
    Case("wgan-gp-mlp", shape=POINTS),
    Case("conditional+r1+stateful", classes=3),
    Case("translating", ("generator_steps=2", "generator_batch_factor=2"), (8, 8, 3)),
    Case("vanilla+helping+moving+scheduled+observing", ("average_decay=0.5", "average_state=average"), POINTS),
    Case("wgan-mlp", shape=POINTS),
    Case("vanilla+rpgan+r1+r2+r3gan", ("average_decay=0.9", "r1_gamma=0.1"), POINTS),
    Case("cyclegan-negative"),
    Case("vanilla+lecam+path_length+historical_averaging+top_k", shape=POINTS),
    Case("vanilla+ada"),
    Case("vanilla+unrolled", ("unrolled_steps=2",), POINTS),
    Case("began"),
    Case("vanilla+infogan", shape=POINTS),
]
LOOPED = CASES[:6]  # with everything that the device's loop treats in a way of its own
MODES = {"calls": (1, False, 4), "loop": (5, True, 3)}  # steps in a call, data on the device, steps of a first sitting
FROM_HOST = "loop from the host"
ALSO_FROM_HOST = CASES[:2]
BOTH = [(case, mode) for mode in MODES for case in LOOPED]
SITTINGS = {"tensorflow": BOTH, "jax": [*BOTH, *((case, "calls") for case in CASES[len(LOOPED) :])]}
"""On each backend; tests/test_contract.py resumes every plugin on TensorFlow."""
CONTINUED = {
    "tensorflow": [(case, ("calls", "loop")[index % 2]) for index, case in enumerate(LOOPED)],
    "jax": SITTINGS["jax"],
}
"""Which of these go on in a process of their own."""
LONG = {
    "tensorflow": [],
    "jax": [  # which compiles each for seconds
        *((CASES[index], mode) for index, mode in ((1, "loop"), (2, "calls"), (4, "calls"))),
        *((case, "calls") for case in CASES if case.stack in ("wgan-mlp", "cyclegan-negative", "vanilla+unrolled")),
        *((case, "calls") for case in CASES if case.stack == "vanilla+rpgan+r1+r2+r3gan"),
    ],
}
"""What is left to `make test-all`: each mode, and each kind of state, is that of another case too."""
CONTINUED_LONG = {"tensorflow": [], "jax": [*LONG["jax"], (CASES[3], "loop"), (CASES[5], "calls")]}


def chosen(sittings: Mapping[str, Sequence[tuple[Case, str]]], every: bool) -> list[tuple[Case, str]]:
    """Those of this process' backend."""
    backend = keras.backend.backend()
    long = (LONG if sittings is SITTINGS else CONTINUED_LONG)[backend]
    return [each for each in sittings[backend] if every or each not in long]


def main(what: str, folder: Path, *words: str) -> None:
    """Every sitting."""
    every = "--all" in words
    if what == "continue":
        for case, mode in chosen(CONTINUED, every):
            finish(case, mode, folder / f"{case.name} by {mode}")
        return
    sittings = chosen(SITTINGS, every)
    for case, mode in sittings:
        place = folder / f"{case.name} by {mode}"
        place.mkdir()
        begin(case, mode, place)
    for case in [each for each in ALSO_FROM_HOST if (each, "loop") in sittings]:
        place = folder / f"{case.name} by {FROM_HOST}"
        place.mkdir()
        trainer = trainer_of(case, "loop", resident=False)
        note(place / "whole", trainer, trainer.train(TOTAL))


def trainer_of(case: Case, mode: str, **policy: bool) -> Trainer:
    """A trainer that takes so many steps a call, whatever the machine.

    On TensorFlow only the first case is compiled by XLA, which takes ten times as long as making a graph.
    """
    trainer = Trainer(case.made(), case.dataset(), seed=3)
    steps, resident, _ = MODES[mode]
    xla = trainer.policy.xla and (case is CASES[0] or keras.backend.backend() == "jax")
    trainer.compile(replace(trainer.policy, **{"xla": xla, "steps_per_call": steps, "resident": resident, **policy}))
    return trainer


def begin(case: Case, mode: str, folder: Path) -> None:
    """All steps in one sitting, and in two of the same process: the state between them, and both ends."""
    trainer = trainer_of(case, mode)
    initial, length = trainer.state(), MODES[mode][2]
    note(folder / "whole", trainer, trainer.train(TOTAL))
    trainer.set_state(initial)
    first = trainer.train(length)
    note(folder / "between", trainer, first)
    second = trainer.train(TOTAL - length)
    note(folder / "halves", trainer, {name: np.concatenate([first[name], second[name]]) for name in first})


def finish(case: Case, mode: str, folder: Path) -> None:
    """The second sitting."""
    trainer = trainer_of(case, mode)
    trainer.set_state(np.load(folder / "between state.npz"))
    note(folder / "continued", trainer, trainer.train(TOTAL - trainer.steps))


def note(path: Path, trainer: Trainer, metrics: State) -> None:
    """Keep state and metrics."""
    np.savez(f"{path} state.npz", **trainer.state())
    np.savez(f"{path} metrics.npz", **metrics)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), *sys.argv[3:])
