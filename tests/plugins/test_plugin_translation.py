"""Translation as a whole: with pairs and without, resumed, sampled, shown, on either backend."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
from edges_run import edges_run
from keras import ops
from plugin_kinds import tasks as tasks_of_all
from zoo_plugins.edges import edges

from zoo.base.pictures import grid, to_uint8
from zoo.data.fields import Field
from zoo.stacks.stack import CORE
from zoo.training.derivation import derived
from zoo.training.sheets import translation_sheet
from zoo.training.trainer import Trainer

SIZE = 8  # pixels
STACKS = {
    "pix2pix-edges": ("width=2", "batch_size=4"),
    "cyclegan-negative": ("width=2", "batch_size=4", "residual_blocks=1", "pool_size=6", "horizon=16"),
}
TASKS = {"mask": ["mask_place=centre"]}  # settings without which a task draws
ON_JAX = """
import json, sys
from zoo.backend import prepare
prepare()
import numpy as np
from zoo.catalogue import read_catalogue
from zoo.data import Dataset
from zoo.stacks.resolving import resolve_stack
from zoo.training.trainer import Trainer

def derived_by(task, settings, batch):
    import keras
    from zoo.stacks.stack import CORE
    from zoo.training.derivation import derived
    stack = resolve_stack(f"vanilla+{task}", read_catalogue(), None, settings)
    seeds = {name: keras.random.SeedGenerator(0) for name in (CORE, *stack.plugins)}
    return derived(stack, batch, batch, None, seeds, stack.recipe)["source"]

images = np.random.default_rng(0).integers(0, 256, (20, 8, 8, 1), dtype=np.uint8)
data = Dataset("tiny", "train", images, None, None, (), 1.0, "tiny", {})
found = {}
for stack, settings in json.loads(sys.argv[1]).items():
    trainer = Trainer(resolve_stack(stack, read_catalogue(), None, settings), data)
    found[stack] = [trainer.step(), trainer.step()]
    made = trainer.sampler.samples(trainer.sampler.latents(3, 0), 0)
    found[stack].append({"samples": float(np.abs(made).mean())})
colours = {"samples": np.random.default_rng(0).uniform(-1, 1, (2, 8, 8, 3)).astype("float32")}
for task, settings in json.loads(sys.argv[2]).items():
    found[task] = np.asarray(derived_by(task, settings, colours)).tolist()
print(json.dumps(found))
"""


@pytest.mark.parametrize("text", [pytest.param("pix2pix-edges", marks=pytest.mark.long), "cyclegan-negative"])
def test_training_stopped_and_resumed_is_training_bit_for_bit(
    text: str, make_stack: Callable, tiny_dataset: Callable
) -> None:
    trainer = Trainer(make_stack(text, *STACKS[text]), tiny_dataset((SIZE, SIZE, 1)), seed=2)
    metrics = [trainer.step() for _ in range(2)]
    state = trainer.state()
    metrics += [trainer.step() for _ in range(2)]
    whole = trainer.state()
    trainer.set_state(state)
    assert [trainer.step() for _ in range(2)] == metrics[2:]
    for name, array in whole.items():
        np.testing.assert_array_equal(array, trainer.state()[name], err_msg=name)
    assert all(np.isfinite(value) for each in metrics for value in each.values())
    if "horizon=16" in STACKS[text]:
        assert state["plugin/pooled"] == 6
        assert (state["plugin/pool_source"] != whole["plugin/pool_source"]).any()
        for optimizer in (trainer.players.generator_optimizer, trainer.players.discriminator_optimizer):
            assert float(optimizer.learning_rate) == pytest.approx(1e-4)  # the last step began after 12 of 16 images
    check_sheet(trainer)


def check_sheet(trainer: Trainer) -> None:
    """It shows what each picture was made of, what was made, and what is real, for rows that belong together."""
    sampler = trainer.sampler
    rows = np.array([3, 1, 4, 8])
    sheet = translation_sheet(sampler, 4, seed=7, rows=rows)
    batch = {name: to_uint8(ops.convert_to_numpy(each)) for name, each in sampler.batch(rows, 7).items()}
    np.testing.assert_array_equal(batch["samples"], trainer.dataset.batch(rows))
    made = to_uint8(sampler.samples(sampler.latents(4, 7, rows=rows), 7))
    expected = np.stack([batch["source"], made, batch["samples"]], axis=1).reshape(-1, SIZE, SIZE, 1)
    np.testing.assert_array_equal(np.asarray(sheet), np.asarray(grid(expected, 3 * 4)))


def test_a_run_translates_held_out_pictures(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (40, SIZE, SIZE, 1), dtype=np.uint8)
    run = edges_run(tmp_path, images, steps=2)
    rows = run.held_out.rows(np.arange(3))["samples"]
    assert run.held_out.split == "test"
    source = ops.convert_to_numpy(run.sampler.latents(3, 0)["source"])
    assert source == pytest.approx(ops.convert_to_numpy(edges(ops.convert_to_tensor(rows / 127.5 - 1))), abs=1e-5)
    made = run.sample(3, seed=1)
    assert (made.dtype, made.shape) == (np.uint8, (3, SIZE, SIZE, 1))
    np.testing.assert_array_equal(made, run.sample(3, seed=1))
    assert (made != run.sample(3, seed=2)).any()  # the same pictures with other noise


@pytest.mark.parametrize("aligned", [True, False])
def test_a_dataset_may_have_both_domains_itself(aligned: bool, make_stack: Callable, tiny_dataset: Callable) -> None:
    pictures = np.random.default_rng(1).integers(0, 256, (40 if aligned else 13, SIZE, SIZE, 1), dtype=np.uint8)
    data = replace(
        tiny_dataset((SIZE, SIZE, 1)), others={"source": (Field("image", (SIZE, SIZE, 1), aligned=aligned), pictures)}
    )
    text = "pix2pix" if aligned else "cyclegan"
    trainer = Trainer(make_stack(text, *([] if aligned else STACKS["cyclegan-negative"])), data)
    source = ops.convert_to_numpy(trainer.sampler.latents(3, 0)["source"])
    assert source == pytest.approx(pictures[:3] / 127.5 - 1, abs=1e-6)
    columns = 3 if aligned else 2  # what does not belong together is not shown as if it did
    sheet = translation_sheet(trainer.sampler, 4, seed=7)
    height = SIZE + 2 * 2
    assert sheet.width / sheet.height == pytest.approx((columns * 4 * (SIZE + 2) + 2) / height)


@pytest.mark.long
def test_both_train_on_jax_and_every_task_derives_the_same(make_stack: Callable) -> None:
    variables = {
        **os.environ,
        "KERAS_BACKEND": "jax",
        "XLA_FLAGS": "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true",
    }
    tasks = {name: TASKS.get(name, []) for name in sorted(tasks_of_all())}
    words = [sys.executable, "-c", ON_JAX, json.dumps(STACKS), json.dumps(tasks)]
    done = subprocess.run(words, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert set(found) == {*STACKS, *tasks}
    colours = {"samples": np.random.default_rng(0).uniform(-1, 1, (2, 8, 8, 3)).astype("float32")}
    for task, settings in tasks.items():
        stack = make_stack(f"vanilla+{task}", *settings)
        seeds = {name: keras.random.SeedGenerator(0) for name in (CORE, *stack.plugins)}
        expected = derived(stack, colours, colours, None, seeds, stack.recipe)["source"]
        assert np.array(found.pop(task)) == pytest.approx(ops.convert_to_numpy(expected), abs=1e-6), task
    for stack, rows in found.items():
        assert {"discriminator_loss", "generator_loss"} <= set(rows[0])
        assert all(np.isfinite(value) for row in rows for value in row.values()), stack
