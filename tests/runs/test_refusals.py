from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

Words = Callable[..., list[str]]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--steps", 0], "--steps must be a number above 0; received 0."),
        (["--steps", -5], "--steps must be a number above 0; received -5."),
        (["--epochs", "inf"], "--epochs must be a number above 0; received inf."),
        (["--epochs", "nan"], "--epochs must be a number above 0; received nan."),
        (["--images", 0], "--images must be a number above 0; received 0."),
        (["--steps", 3, "--epochs", 2], "The budget is given twice: --steps and --epochs. Keep one."),
        (["--seed", 2**32], "--seed must be from 0 to 4294967295; received 4294967296."),
        (["--set", "batch_size=65"], "A batch of 65 is larger than the dataset of 64 samples"),
        (["--set", "batch_size=0"], "batch_size must be at least 1"),
        (["--set", "batch_sise=8"], "Did you mean 'batch_size'?"),
        (["--set", "batch_size=many"], "'batch_size' takes an integer; received 'many'."),
        (["--set", "batch_size"], "--set takes key=value"),
        (["--plugin", "mine.py"], "--plugin mine.py: the file does not exist."),
        (["--image-size", 0], "The image size must be at least 1 pixel, not 0."),
        (["--stepps", 3], "No such option '--stepps'. (Did you mean one of: "),
        (["--steps", "many"], "'many' is not a valid integer"),
    ],
)
def test_a_mistake_costs_one_clear_message_and_no_folder(
    words: list[object], message: str, zoo_command, tiny_words: Words, working_directory: Path
):
    result = zoo_command(*tiny_words(*words))
    assert_refused(result, message)
    assert not list(working_directory.iterdir())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run", "vanila"], "Did you mean 'vanilla'?"),
        (["run", "vanilla+r0"], "Unknown variant or plugin: 'r0'."),
        (["run", "vanilla+"], "Stack 'vanilla+' has an empty part."),
        (["run", "vanilla", "--dataset", "fashion_mimi"], "Did you mean 'fashion_mini'?"),
        (["run", "vanilla", "--dataset", "./nowhere.npy"], "/nowhere.npy. A dataset of one's own is a folder"),
        (["run", "dcgan", "--image-size", "8"], "16"),
        (["run", "r1"], "Put one that does below it, as in PLUGIN+r1"),
        (["show", "vanila"], "Did you mean 'vanilla'?"),
        (["sample", "nowhere"], "No run in 'nowhere': a run's folder holds run.yaml. Available: none"),
        (["list", "variant"], "'variant' is not one of 'variants', 'plugins', 'datasets', 'metrics', 'extractors', "),
        (["lits"], "No such command 'lits'. Did you mean 'list'?"),
        (["run"], "Missing argument 'STACK'."),
    ],
)
def test_an_unknown_name_lists_what_there_is(words: list[str], message: str, zoo_command, working_directory: Path):
    assert_refused(zoo_command(*words), message)
    assert not list(working_directory.iterdir())


def assert_refused(result, message: str) -> None:
    """The user's mistake: exit code 2, and after what was done before one message."""
    assert result.code == 2
    assert message in result.err
    assert result.err.count("Error: ") == 1
    assert result.err.strip().splitlines()[-1].startswith("Error: ")
    assert "Traceback" not in result.err
    assert result.out == ""


def test_numbers_that_are_not_finite_in_the_data_are_refused_with_their_row(zoo_command, tiny_words: Words):
    points = np.ones((64, 2), dtype="float32")
    points[[5, 9], 1] = np.nan, np.inf
    np.save("points.npy", points)
    result = zoo_command(*tiny_words("--split", "all", dataset="./points.npy"))
    assert_refused(result, "2 or more points are not finite, the first in row 5 of 'train'.")


def test_a_truncated_dataset_file_is_refused(zoo_command, tiny_words: Words, images: Path):
    Path("images.npy").write_bytes(images.read_bytes()[:-100])
    assert_refused(zoo_command(*tiny_words(dataset="./images.npy")), "images.npy: it ends 100 bytes too early")


def test_truncated_prepared_data_says_how_to_mend_it(zoo_command, tiny_words: Words, images: Path, tmp_path: Path):
    words = tiny_words("--data-dir", tmp_path / "data", "--steps", 1)
    assert zoo_command(*words).code == 0
    (samples,) = (tmp_path / "data").glob("zoo/*/samples.npy")
    samples.write_bytes(samples.read_bytes()[:-1])
    result = zoo_command(*words)
    assert_refused(result, "is damaged (samples.npy holds")
    assert "Delete that folder and run the same command again" in result.err


@pytest.mark.parametrize("words", [["run", "vanilla"], ["show", "vanilla"], ["list", "--check"]])
def test_a_backend_that_we_do_not_run_is_refused(words: list[str], zoo_command, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    assert_refused(
        zoo_command(*words), "KERAS_BACKEND is 'torch', which the zoo does not run. Available: tensorflow, jax."
    )


def test_a_damaged_run_yaml_is_told_by_its_line(zoo_command, tiny_words: Words):
    Path("run").mkdir()
    Path("run/run.yaml").write_text("stack: vanilla\nstack: [\n")
    result = zoo_command(*tiny_words("--out", "run"))
    assert result.code == 2
    assert "run.yaml" in result.err
    assert "is damaged" in result.err


def test_without_a_command_the_help_is_shown_once(zoo_command):
    result = zoo_command()
    assert result.code == 2
    assert result.err.count("Usage: zoo") == 1
    assert "Error" not in result.err


def test_traceback_shows_where_a_mistake_was_found(zoo_command):
    from zoo.cli import main
    from zoo.errors import ZooError

    with pytest.raises(ZooError, match="Did you mean 'vanilla'"):
        main(["run", "vanila", "--traceback"])
    assert "Traceback" not in zoo_command("run", "vanila").err
