"""What the listeners wandb, mlflow and trackio leave, read back by other means: what the run directory holds, once."""

import importlib.util
import json
import os
import sqlite3
import struct
import sys
import time
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
import yaml
from PIL import Image
from progress_recorder import Interrupting

import zoo
from zoo.base.interrupts import Interrupted
from zoo.errors import ZooWarning
from zoo.evaluation.evaluation_file import EvaluationFile
from zoo.runs.directory import step_of_picture

for name in ("wandb", "mlflow", "trackio"):
    if importlib.util.find_spec(name) is None:
        pytest.skip(f"needs {name}", allow_module_level=True)

pytestmark = [
    pytest.mark.leaky,
    pytest.mark.filterwarnings("ignore:::(?!zoo)"),  # what the packages warn of among themselves
    pytest.mark.usefixtures("offline"),
]
Train = Callable[..., zoo.Run]
Values = dict[str, list[tuple[int, float]]]  # numbers by name, in the order in which they were written
NAMES = ("wandb", "mlflow", "trackio")
EXTRACTOR = Path(__file__).parents[1] / "stacks" / "pooling.py"
PERIODIC = zoo.EvaluationOptions(("fd",), 60, real_samples=60, extractor="pooling")
JUDGED = {"evaluate_every": 25, "evaluation": PERIODIC, "plugins": [EXTRACTOR]}


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where MLflow and trackio write, which must be known before trackio is imported."""
    folder = tmp_path_factory.mktemp("stores")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WANDB_MODE", "offline")
        patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder / 'mlflow.db'}")
        patch.setenv("TRACKIO_DIR", str(folder / "trackio"))
        yield folder


@pytest.fixture
def offline(stores: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Works in a folder of its own, where MLflow leaves artifacts."""
    monkeypatch.chdir(stores)


@pytest.fixture(scope="module")
def tracked(train: Train, image_splits: Path, stores: Path, tmp_path_factory: pytest.TempPathFactory) -> zoo.Run:
    """A run that was interrupted, lost its last checkpoints as a kill might have it, and went on."""
    path = tmp_path_factory.mktemp("tracked") / "run"
    options = {"dataset": image_splits, "listeners": NAMES, **JUDGED}
    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patch:
        warnings.filterwarnings("ignore", module="(?!zoo)")
        patch.chdir(stores)
        with pytest.raises(Interrupted):
            train(path, progress=Interrupting(55), **options)
        for checkpoint in zoo.load(path).directory.checkpoints.paths()[1:]:
            checkpoint.unlink()
        return train(path, **options)


def expected(run: zoo.Run) -> Values:
    """The numbers that the files of the run directory hold."""
    found: Values = defaultdict(list)
    for line in run.metrics:
        for name in line.keys() - {"step"}:
            found[name].append((line["step"], line[name]))
    for evaluation in EvaluationFile(run.path / "evaluation.json").read():
        for score in evaluation["scores"]:
            found[f"scores/{score['name']}"].append((evaluation["step"], score["value"]))
    return dict(found)


def without_time(values: Values) -> Values:
    """All but what the second training of a step measured anew."""
    return {name: each for name, each in values.items() if name != "seconds"}


def pixels(path: Path) -> bytes:
    with Image.open(path) as opened:
        return opened.convert("RGB").tobytes()


def expected_pictures(run: zoo.Run) -> list[tuple[int, bytes]]:
    return [(step_of_picture(each), pixels(each)) for each in run.directory.pictures()]


def noted(run: zoo.Run, name: str) -> str:
    """The id of the tracked run."""
    return json.loads((run.path / "trackers" / f"{name}.json").read_text())["run"]


def wandb_records(run: zoo.Run) -> Iterator[tuple[Path, object]]:
    """The records of all sittings, each of which was ended."""
    for path in sorted(run.path.glob("wandb/offline-run-*/*.wandb")):
        for _ in range(100):  # wandb's own process may still be closing the file
            records = list(read_records(path))
            if records and records[-1].HasField("exit"):
                break
            time.sleep(0.1)
        yield from ((path.parent, record) for record in records)


def read_records(path: Path) -> Iterator[object]:
    """The whole records of a file: protocol buffers in the log format of LevelDB, read without wandb's own reader."""
    from wandb.proto.wandb_internal_pb2 import Record

    data, place, record = path.read_bytes(), 7, b""
    assert data[:4] == b":W&B"
    while place + 7 <= len(data):
        left = 32768 - place % 32768  # of the block; a header is never divided
        length, kind = struct.unpack("<HB", data[place + 4 : place + 7])
        if left < 7 or not kind:
            place += left
            continue
        record += data[place + 7 : place + 7 + length]
        place += 7 + length
        if kind in (1, 4) and place <= len(data):  # whole, or the last part
            yield Record.FromString(record)
            record = b""


def from_wandb(run: zoo.Run) -> tuple[Values, list[tuple[int, bytes]]]:
    values: Values = defaultdict(list)
    pictures = []
    for folder, record in wandb_records(run):
        row = {".".join(each.nested_key) or each.key: json.loads(each.value_json) for each in record.history.item}
        for name, value in row.items():
            if name == "samples.path":
                pictures.append((row["_step"], pixels(folder / "files" / value)))
            elif not name.startswith(("_", "samples.")):
                values[name].append((row["_step"], value))
    return dict(values), pictures


def from_mlflow(run: zoo.Run) -> tuple[Values, list[tuple[int, bytes]]]:
    from mlflow import MlflowClient

    client, key = MlflowClient(), noted(run, "mlflow")
    names = client.get_run(key).data.metrics
    values = {name: [(each.step, each.value) for each in client.get_metric_history(key, name)] for name in names}
    folder = Path(client.download_artifacts(key, "images"))
    pictures = [(int(each.name.split("+")[2]), pixels(each)) for each in folder.glob("samples+*.png")]
    return values, sorted(pictures)


def from_trackio(run: zoo.Run) -> tuple[Values, list[tuple[int, bytes]]]:
    folder = Path(os.environ["TRACKIO_DIR"])
    values: Values = defaultdict(list)
    pictures = []
    query = "select step, metrics from metrics where run_name = ? order by id"
    connection = sqlite3.connect(folder / "gan-zoo.db")
    for step, row in connection.execute(query, [noted(run, "trackio")]).fetchall():
        for name, value in json.loads(row).items():
            if name == "samples":
                pictures.append((step, pixels(folder / "media" / value["file_path"])))
            else:
                values[name].append((step, value))
    connection.close()
    return dict(values), pictures


READERS = {"wandb": from_wandb, "mlflow": from_mlflow, "trackio": from_trackio}


@pytest.mark.parametrize("name", NAMES)
def test_all_of_a_run_is_tracked_once_whatever_its_sittings(name: str, tracked: zoo.Run):
    values, pictures = READERS[name](tracked)
    assert without_time(values) == without_time(expected(tracked))
    assert [step for step, _ in values["seconds"]] == [50, 60]
    assert [step for step, _ in values["scores/fd_pooling"]] == [25, 50, 60]
    assert pictures == expected_pictures(tracked)


def test_the_sittings_of_wandb_are_one_run_with_run_yaml_as_its_config(tracked: zoo.Run):
    begun = [record.run for _, record in wandb_records(tracked) if record.HasField("run")]
    assert {each.run_id for each in begun} == {noted(tracked, "wandb")}
    assert {each.project for each in begun} == {"gan-zoo"}
    assert len(list(tracked.path.glob("wandb/offline-run-*"))) == 2
    config = {each.key: json.loads(each.value_json) for each in begun[-1].config.update}
    assert {name: config[name] for name in tracked.record} == tracked.record
    ends = [record.exit.exit_code for _, record in wandb_records(tracked) if record.HasField("exit")]
    assert ends == [130, 0]


def test_mlflow_has_the_recipe_as_parameters_and_run_yaml_as_an_artifact(tracked: zoo.Run):
    from mlflow import MlflowClient

    client = MlflowClient()
    (experiment,) = (each for each in client.search_experiments() if each.name == "gan-zoo")
    found = client.get_run(noted(tracked, "mlflow"))
    assert found.info.experiment_id == experiment.experiment_id
    assert (found.info.status, found.info.run_name) == ("FINISHED", "vanilla-images.npz-0")
    recipe = {name: str(value) for name, value in tracked.record["recipe"].items()}
    assert recipe == {
        name.removeprefix("recipe."): value for name, value in found.data.params.items() if name.startswith("recipe.")
    }
    assert found.data.params["stack"] == "vanilla"
    kept = Path(client.download_artifacts(noted(tracked, "mlflow"), "run.yaml"))
    assert yaml.safe_load(kept.read_text()) == tracked.record


def test_trackio_has_run_yaml_as_its_config(tracked: zoo.Run):
    connection = sqlite3.connect(Path(os.environ["TRACKIO_DIR"]) / "gan-zoo.db")
    query = "select config from configs where run_name = ?"
    (config,) = (json.loads(row) for (row,) in connection.execute(query, [noted(tracked, "trackio")]))
    connection.close()
    assert {name: config[name] for name in tracked.record} == tracked.record


def test_a_run_may_be_tracked_after_its_training(tracked: zoo.Run, train: Train, image_splits: Path, tmp_path: Path):
    run = train(tmp_path / "run", steps=1, dataset=image_splits)
    run = train(tmp_path / "run", steps=1, dataset=image_splits, listeners=NAMES)  # nothing is left to train
    for read in READERS.values():
        assert read(run) == (expected(run), expected_pictures(run))


def test_a_run_that_diverges_has_failed(train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from mlflow import MlflowClient

    from zoo.training.loop import Training, TrainingFailed

    def check(training: Training, step: int, metrics: Mapping[str, float]) -> None:
        if step == 2:
            raise training.diverged(step, "a loss is nan")

    monkeypatch.setattr(Training, "check_finite", check)
    with pytest.raises(TrainingFailed):
        train(tmp_path / "run", listeners=["mlflow"])
    run = zoo.load(tmp_path / "run")
    assert MlflowClient().get_run(noted(run, "mlflow")).info.status == "FAILED"


def test_one_that_fails_ends_no_training_and_gets_what_it_missed_in_the_next_sitting(
    train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    with monkeypatch.context() as patch:

        def refuse(*_: object, **__: object) -> None:
            raise MlflowException("the server is away")

        patch.setattr(MlflowClient, "log_image", refuse)
        with pytest.warns(ZooWarning, match=r"without this listener\. Listener 'mlflow': MlflowException: the server"):
            run = train(tmp_path / "run", steps=2, listeners=["mlflow"])
        assert run.metrics[-1]["step"] == 2
    run = train(tmp_path / "run", steps=2, listeners=["mlflow"])
    assert from_mlflow(run) == (expected(run), expected_pictures(run))


def test_one_that_cannot_begin_is_an_error_that_says_what_to_do(
    train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "nonsense://server")
    message = r"The listener mlflow can't begin: \w+: .*MLFLOW_TRACKING_URI answers\.$"
    with pytest.raises(zoo.ZooError, match=f"(?s){message}"):
        train(tmp_path / "run", steps=2, listeners=["mlflow"])


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_package_is_told_with_its_command(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda asked: None if asked == name else find(asked))
    with pytest.raises(zoo.ZooError, match=rf"needs the package {name}: pip install 'gan-zoo\[{name}\]'"):
        zoo.run("vanilla", dataset=tmp_path / "none", out=tmp_path / "run", monitoring=zoo.Monitoring(listeners=[name]))


def test_their_makers_are_told_nothing(tracked: zoo.Run):
    assert os.environ["WANDB_ERROR_REPORTING"] == "false"
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"
    telemetry = sys.modules["mlflow.telemetry.client"]
    assert telemetry.get_telemetry_client() is None
