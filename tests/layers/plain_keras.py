"""Opens networks by Keras alone.

A program: its argument is a folder of .keras files, each beside an .npz of its inputs.
What the networks answer, and whether they draw, goes into answers.npz there.
"""

import sys
from pathlib import Path

sys.modules["zoo"] = sys.modules["zoo_plugins"] = None  # importing either fails

import keras  # noqa: E402  after the zoo was shut out
import numpy as np  # noqa: E402

found = {}
for path in sorted(Path(sys.argv[1]).glob("*.keras")):
    model = keras.saving.load_model(path)
    with np.load(path.with_suffix(".npz")) as kept:
        given = [kept[name] for name in kept.files]
        named = dict(zip(kept.files, given, strict=True))
    called = named if isinstance(model.input, dict) else given if isinstance(model.input, list) else given[0]
    for number, each in enumerate(keras.tree.flatten(model(called, training=False))):
        found[f"{path.stem} {number}"] = keras.ops.convert_to_numpy(each)
    once, again = (keras.ops.convert_to_numpy(keras.tree.flatten(model(called))[0]) for _ in range(2))
    found[f"{path.stem} draws"] = np.any(once != again)
np.savez(Path(sys.argv[1], "answers.npz"), **found)
