"""What a run shows in a notebook, and what it offers from Python beside the commands."""

import importlib.util
import io
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import tqdm.auto
from PIL import Image

import zoo
from zoo.base import progress
from zoo.runs.metrics import Metrics

pytestmark = pytest.mark.leaky


def test_metrics_are_lines_arrays_and_a_table(finished: zoo.Run):
    metrics = finished.metrics
    assert [line["step"] for line in metrics] == [50, 60]
    arrays = metrics.arrays
    assert arrays["generator_loss"].dtype == np.float64
    assert arrays["generator_loss"].tolist() == [line["generator_loss"] for line in metrics]
    pandas = pytest.importorskip("pandas")
    table = metrics.to_pandas()
    assert isinstance(table, pandas.DataFrame)
    assert table.index.tolist() == [50, 60]
    assert table["generator_loss"].tolist() == arrays["generator_loss"].tolist()
    assert "step" not in table


def test_what_a_line_lacks_is_nan_and_texts_are_no_numbers():
    arrays = Metrics([{"step": 1, "a": 1.5, "word": "x"}, {"step": 2, "b": 2}]).arrays
    assert set(arrays) == {"step", "a", "b"}
    np.testing.assert_array_equal(arrays["a"], [1.5, np.nan])
    np.testing.assert_array_equal(arrays["b"], [np.nan, 2])


def test_a_table_without_pandas_is_an_error_that_names_the_arrays(finished: zoo.Run, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(zoo.ZooError, match=r"pip install pandas.*arrays"):
        finished.metrics.to_pandas()


def test_a_run_shows_what_made_it_and_its_last_picture(finished: zoo.Run):
    last = finished.directory.pictures()[-1].read_bytes()
    assert finished._repr_png_() == last
    shown = finished._repr_html_()
    assert "<h4>vanilla</h4>" in shown
    assert f"{finished.metrics[-1]['generator_loss']:.4g}" in shown
    assert shown.count("data:image/png;base64,") == 1


def test_what_a_run_shows_is_escaped(finished: zoo.Run):
    run = zoo.load(finished.path)
    vars(run)["record"] = {**finished.record, "stack": "<b>&"}
    assert "&lt;b&gt;&amp;" in run._repr_html_()
    assert "<b>" not in run._repr_html_()


def test_a_pretrained_generator_shows_the_picture_beside_its_card():
    run = zoo.load("dcgan@fashion_mini")
    assert run._repr_png_() == (run.path / "samples.png").read_bytes()
    (score,) = run.evaluations[-1]["scores"][:1]
    assert score["name"] in run._repr_html_()
    assert run.evaluations.scores[score["name"]] == score["value"]
    assert f'<td style="text-align: left">{score["value"]:.4g}</td>' in run.evaluations._repr_html_()


def test_evaluating_takes_the_fields_of_its_options(finished: zoo.Run, monkeypatch: pytest.MonkeyPatch):
    import zoo.evaluation.scoring as scoring

    given: list[dict[str, object]] = []
    monkeypatch.setattr(scoring, "evaluate", lambda run, **options: given.append(options) or [])
    finished.evaluate(metrics=["kid"], samples=7, progress=False)
    assert given == [{"options": zoo.EvaluationOptions(metrics=["kid"], samples=7), "progress": False}]
    with pytest.raises(zoo.ZooError, match="metrics stand beside `options`"):
        finished.evaluate(metrics=["kid"], options=zoo.EvaluationOptions())


def test_pictures_of_samples_have_the_asked_columns(finished: zoo.Run):
    samples = finished.sample(6, seed=3)
    picture = finished.picture(samples, columns=3)
    assert isinstance(picture, Image.Image)
    factor = picture.width // (3 * 10 + 2)  # images of 8 pixels with gaps of 2, enlarged
    assert picture.size == (factor * 32, factor * 22)
    small = np.asarray(picture.resize((32, 22), Image.Resampling.NEAREST))
    np.testing.assert_array_equal(small[12:20, 22:30], np.repeat(samples[5], 3, axis=-1))
    drawn = finished.picture(count=6, seed=3, columns=3)
    assert drawn.tobytes() == picture.tobytes()
    with pytest.raises(zoo.ZooError, match=r"Expected samples \(N, 8, 8, 1\)"):
        finished.picture(np.zeros((5, 2)))


def test_writing_makes_what_the_command_writes(finished: zoo.Run, zoo_command: Callable, tmp_path: Path):
    words = ("--interpolate", "--seeds", "3,8", "--loop", "--seconds", 1, "--fps", 4)
    assert zoo_command("sample", finished.path, *words, "--out", "command.gif").code == 0
    options = {"interpolate": True, "seeds": [3, 8], "loop": True, "seconds": 1, "fps": 4}
    path = finished.write("python.gif", **options)
    assert path.read_bytes() == Path("command.gif").read_bytes()
    with pytest.raises(zoo.ZooError, match="'vanilla' has no styles to mix"):
        finished.mix([0, 1], [2], [0])


def test_files_are_projected_as_arrays_are(finished: zoo.Run, tmp_path: Path):
    image = finished.sample(1, seed=5)[0]
    Image.fromarray(image[..., 0]).save(tmp_path / "one.png")
    procedure = {"steps": 1, "features": 0.0}
    by_file = finished.project(tmp_path / "one.png", **procedure)
    by_array = finished.project(image[None], **procedure)
    np.testing.assert_array_equal(by_file.latents["latents"], by_array.latents["latents"])


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    """This process is taken for a Jupyter kernel's."""
    ipython = SimpleNamespace(get_ipython=lambda: SimpleNamespace(kernel=object()))
    monkeypatch.setitem(sys.modules, "IPython", ipython)


@pytest.mark.usefixtures("notebook")
def test_progress_in_a_notebook_is_a_bar_on_stdout(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    made = []

    class Made(tqdm.auto.tqdm):
        def __init__(self, **options: object) -> None:
            made.append(options)
            super().__init__(**{**options, "file": io.StringIO()})

    monkeypatch.setattr(tqdm.auto, "tqdm", Made)
    bar = progress.as_progress(True)
    bar.start(0, 2, 8)
    bar.step(1, {"generator_loss": 1.0})
    bar.note("said")
    bar.stop()
    assert made[0]["total"] == 16
    assert capsys.readouterr() == ("said\n", "")


def test_progress_elsewhere_is_in_lines():
    assert isinstance(progress.as_progress(True), progress.Lines)
