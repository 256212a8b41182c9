"""A listener from outside follows a tiny run; what fails in one does not end the run."""

import csv
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
from bringing import BROUGHT

import zoo
from zoo.errors import ZooError, ZooWarning

LOG = BROUGHT / "csv_log.py"
POOLING = Path(__file__).parents[1] / "stacks" / "pooling.py"
TINY = ("generator_units=4", "discriminator_units=4", "batch_size=8", "latent_size=2")


@pytest.fixture
def train(images: Path, data_dir: Path) -> Callable[..., zoo.Run]:
    def run(*listeners: str, plugins: list[Path], steps: int = 55, **options: object) -> zoo.Run:
        evaluation = zoo.EvaluationOptions(("fd",), 60, real_samples=60, extractor="pooling")
        given = {"dataset": images, "data_dir": data_dir, "settings": TINY, "out": "run", "progress": False}
        monitoring = zoo.Monitoring(evaluate_every=30, evaluation=evaluation, listeners=listeners, **options)
        budget, files = zoo.Budget(steps), [POOLING, *plugins]
        return zoo.run("vanilla", budget=budget, monitoring=monitoring, plugins=files, **given)

    return run


def lines(run: zoo.Run) -> list[tuple[int, str, str]]:
    with (run.path / "log.csv").open(newline="") as file:
        return [(int(step), name, value) for step, name, value in csv.reader(file)]


def expected(run: zoo.Run) -> set[tuple[int, str, str]]:
    """Every metric, as the run directory has it."""
    return {(line["step"], name, str(line[name])) for line in run.metrics for name in line if name != "step"}


@pytest.mark.parametrize("way", ["file", "section", "entry point"])
def test_it_receives_all_of_a_run(way: str, bring: Callable, train: Callable[..., zoo.Run]):
    plugins = [Path(each) for each in bring(way, "listeners", LOG)[1:]]
    run = train("csv_log", plugins=plugins)
    written = lines(run)
    assert expected(run) < set(written)
    assert [step for step, name, _ in written if name == "generator_loss"] == [50, 55]
    assert [step for step, name, _ in written if name == "fd_pooling"] == [30, 55]
    pictures = [(step, value) for step, name, value in written if name == "picture"]
    assert [value for _, value in pictures] == [path.name for path in run.directory.pictures()]

    run = train("csv_log", plugins=plugins, steps=110)  # continued: it begins anew with what is there
    written = lines(run)
    assert [step for step, name, _ in written if name == "generator_loss"] == [50, 100, 110]


def test_it_stands_beside_tensorboard(train: Callable[..., zoo.Run]):
    pytest.importorskip("tensorboardX")
    run = train("csv_log", "csv-log", "tensorboard", plugins=[LOG], steps=1)
    assert len(list((run.path / "tensorboard").iterdir())) == 1
    assert [name for _, name, _ in lines(run)].count("generator_loss") == 1


def test_the_command_that_continues_a_run_names_it(images: Path, zoo_command: Callable):
    settings = [word for each in TINY for word in ("--set", each)]
    result = zoo_command(
        "run", "vanilla", "--dataset", images, *settings, "--steps", 1, "--plugin", LOG, "--listener", "csv_log"
    )
    assert result.code == 0, result.err
    assert "--listener csv_log" in result.out


FAILING = """def listener():
    return Failing

class Failing(Listener):
    def __init__(self, directory):
        self.closed = (directory.path.parent / "closed").write_text
    def begin(self):
        {begin}
    def pictured(self, step, picture):
        {pictured}
    def close(self):
        self.closed("")
"""


def test_one_that_fails_while_a_run_trains_costs_a_warning(
    write: Callable[[str, str], Path], train: Callable[..., zoo.Run]
):
    file = write("failing", FAILING.format(begin="pass", pictured="1 / 0"))
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("ignore")
        warnings.simplefilter("always", ZooWarning)
        run = train("failing", "csv_log", plugins=[file, LOG], steps=10)
    (warning,) = warned
    assert str(warning.message) == (
        f"The run goes on without this listener. Plugin 'failing' (--plugin {file}), hook 'listener': "
        f"ZeroDivisionError: division by zero ({file}:14)"
    )
    assert run.metrics[-1]["step"] == 10
    assert [step for step, name, _ in lines(run) if name == "generator_loss"] == [10]


def test_one_that_fails_as_training_begins_is_an_error(
    write: Callable[[str, str], Path], train: Callable[..., zoo.Run], working_directory: Path
):
    file = write("failing", FAILING.format(begin="raise RuntimeError('no server')", pictured="pass"))
    with pytest.raises(ZooError, match=r"Plugin 'failing' \(.*\), hook 'listener': RuntimeError: no server \(.*:12\)"):
        train("failing", plugins=[file], steps=10)
    assert (working_directory / "closed").exists()


def test_an_unknown_one_is_told_before_data_is_read(zoo_command: Callable, working_directory: Path):
    result = zoo_command("run", "vanilla", "--dataset", "./none.npy", "--plugin", LOG, "--listener", "csv_lgo")
    message = (
        "Unknown listener: 'csv_lgo'. Did you mean 'csv_log'? Available: csv_log, mlflow, tensorboard, trackio, wandb."
    )
    assert (result.code, result.err.splitlines()[-1]) == (2, f"Error: {message}")
    assert not list(working_directory.iterdir())
