"""Memory that runs out is told as what it is, with what was asked for and with options that help."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import zoo
from zoo.base.shortages import OutOfMemory, described, full_disk, is_shortage

SAID = {  # by NumPy, TensorFlow on a CPU and a GPU, XLA, JAX on a GPU
    "Unable to allocate 1.50 GiB for an array with shape (3, 512, 512, 512) and data type float32": (
        "Out of memory: no room for a tensor (3, 512, 512, 512) of 1.5 GiB"
    ),
    "OOM when allocating tensor with shape[5,5,4096,4096] and type float on "
    "/job:localhost/replica:0/task:0/device:CPU:0 by allocator cpu [Op:AddV2]": (
        "Out of memory on the host: no room for a tensor (5, 5, 4096, 4096) of 1.6 GiB"
    ),
    "OOM when allocating tensor with shape[64,1024] and type half on "
    "/job:localhost/replica:0/task:0/device:GPU:1 by allocator GPU_1_bfc": (
        "Out of memory on GPU 1: no room for a tensor (64, 1024) of 128 KiB"
    ),
    "RESOURCE_EXHAUSTED: Out of memory while trying to allocate 17179869184 bytes.": (
        "Out of memory: no room for 16.0 GiB"
    ),
    "RESOURCE_EXHAUSTED: Failed to allocate request for 2.5GiB (2684354560B) on device ordinal 0": (
        "Out of memory on GPU 0: no room for 2.5 GiB"
    ),
}


@pytest.mark.parametrize("text", SAID)
def test_every_librarys_words_are_understood(text: str) -> None:
    error = RuntimeError(text)
    assert is_shortage(error)
    assert described(error).startswith(SAID[text])


def test_numpys_own_error_is_of_the_host() -> None:
    with pytest.raises(MemoryError) as raised:
        np.empty((2**20, 2**20, 2**10), "float32")
    assert described(raised.value).startswith(
        "Out of memory on the host: no room for a tensor (1048576, 1048576, 1024) of 4096.0 TiB"
    )
    assert not is_shortage(ValueError("shape (3, 4) and type float"))


def test_a_run_that_finds_no_memory_names_options_that_make_it_smaller(
    plugin_file: Callable, tmp_path: Path, data_dir: Path
) -> None:
    greedy = """
        import numpy as np

        @hookimpl
        def generator_penalty(fake_logits, recipe):
            if recipe.batch_size > 2 or recipe.width > 1 or keras.config.dtype_policy().name != "float32":
                np.empty((2**20, 2**20), "float64")
            return 0.0 * ops.mean(fake_logits)
        """
    words = {"plugins": [plugin_file(greedy)], "data_dir": data_dir, "progress": False}
    values = {"latent_size": 3}
    with pytest.raises(OutOfMemory) as raised:
        zoo.run("dcgan+mine", settings={**values, "width": 2, "batch_size": 4}, out=tmp_path / "large", **words)
    told = str(raised.value)
    assert told.startswith("Out of memory on the host: no room for a tensor (1048576, 1048576) of 8.0 TiB")
    parts = "--set accumulation=2 (the same batch, in parts)"
    others = "--set batch_size=2 (now 4), --set width=1 (now 2), --precision bfloat16"
    assert f"Less is needed with {parts}, {others}." in told
    assert "mine" not in str(raised.value)  # it is no plugin's fault
    smaller = {**values, "width": 1, "batch_size": 2}  # the advice, followed
    run = zoo.run("dcgan+mine", settings=smaller, budget=zoo.Budget(steps=1), out=tmp_path / "small", **words)
    assert run.metrics[-1]["step"] == 1


def test_a_full_disk_says_which_and_where_else_to_write(tmp_path: Path) -> None:
    told = full_disk(OSError(28, "No space left on device", str(tmp_path / "missing" / "state.npz")))
    assert told.startswith(f"The disk of {tmp_path} is full (")
    assert "--out" in told
    assert full_disk(OSError(13, "Permission denied", str(tmp_path))) == ""
