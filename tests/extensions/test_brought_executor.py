"""An executor from outside trains a tiny comparison."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from bringing import BROUGHT
from in_process import rehearsals_here

from zoo import Budget
from zoo.catalogue import read_catalogue
from zoo.comparison.comparing import ComparisonOptions, compare
from zoo.comparison.executors.choice import ExecutorChoice, open_executor
from zoo.errors import ZooError

STACKS = Path(__file__).parents[1] / "stacks"
NICE = BROUGHT / "nice.py"


@pytest.mark.parametrize("way", ["file", pytest.param("section", marks=pytest.mark.long)])
def test_a_comparison_is_trained_by_it(way: str, images: Path, data_dir: Path, bring: Callable, tmp_path: Path):
    plugins = bring(way, "executors", NICE)[1:]
    asked = ComparisonOptions(
        variants=("convolutional",),
        datasets=(str(images),),
        settings=("batch_size=4", "latent_size=3"),
        plugins=[STACKS / "convolutional.py", STACKS / "pooling.py", *map(Path, plugins)],
        data_dir=data_dir,
        out=tmp_path / "out",
        seeds=1,
        budget=Budget(images=16),
        evaluations=1,
        metrics=("fd",),
        samples=60,
        extractor="pooling",
    )
    choice = ExecutorChoice("nice", jobs=1, executor_option=("niceness=5",))
    with rehearsals_here():
        (cell,) = compare(asked, executor=choice, progress=False)["cells"]
    assert cell["state"] == "done"
    assert cell["cost"]["images"] == 16
    assert (tmp_path / "out" / "report.html").is_file()


@pytest.fixture
def nice_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run directory, in which a job writes down its own priority."""
    program = tmp_path / "program.py"
    program.write_text("import os, sys\nopen(sys.argv[1] + '/niceness', 'w').write(str(os.nice(0)))\n")
    monkeypatch.setattr("zoo.comparison.executors.contract.python_module", lambda name, python: [python, str(program)])
    path = tmp_path / "run"
    path.mkdir()
    return path


def test_its_own_option_reaches_it(nice_python: Path, tmp_path: Path):
    choice = ExecutorChoice("nice", executor_option=("niceness=7",))
    executor = open_executor(choice, tmp_path, read_catalogue([NICE]))
    executor.start(nice_python)
    executor.stop()
    (ended,) = executor.ended()
    assert ended.path == nice_python
    assert executor.ended() == []
    executor.start(nice_python)
    while not (found := executor.ended()):
        pass
    assert found[0].exit_code == 0
    assert (nice_python / "niceness").read_text() == str(min(os.nice(0) + 7, 19))


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        (ExecutorChoice("nice", threads=2), "nice has no --threads, which is an option of local. It has: --jobs, "),
        (ExecutorChoice("nice", executor_option=("x",)), "--executor-option x: expected KEY=VALUE."),
        (ExecutorChoice("nice", executor_option=("niceness=a",)), "niceness=a: expected a number from 0 to 19."),
        (ExecutorChoice("ncie"), "Unknown executor: 'ncie'. Did you mean 'nice'? Available: local, nice, ray, slurm."),
    ],
)
def test_a_wrong_option_is_refused(choice: ExecutorChoice, message: str, tmp_path: Path):
    with pytest.raises(ZooError) as raised:
        open_executor(choice, tmp_path, read_catalogue([NICE]))
    assert message in str(raised.value)


def test_an_unknown_executor_is_told_before_anything_is_prepared(zoo_command: Callable, working_directory: Path):
    result = zoo_command("compare", "vanilla", "--dataset", "ring8", "--executor", "ncie", "--plugin", NICE)
    assert result.code == 2
    assert "Did you mean 'nice'?" in result.err
    assert not list(working_directory.iterdir())
