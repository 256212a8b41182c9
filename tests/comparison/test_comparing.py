"""Whole comparisons of a tiny stack: trained here or by processes of this machine, killed, continued, reported."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from in_process import jobs_here, rehearsals_here

from zoo import Budget
from zoo.base.progress import Silent
from zoo.cli.comparison_printing import compared as printed
from zoo.comparison.comparing import ComparisonOptions, compare, report
from zoo.comparison.job import read_outcome
from zoo.comparison.rehearsal import problems_of
from zoo.errors import ZooError
from zoo.runs.checkpoints import read_path
from zoo.runs.directory import RunDirectory

STACKS = Path(__file__).parents[1] / "stacks"
PLUGINS = (STACKS / "convolutional.py", STACKS / "pooling.py")
TINY = ("batch_size=4", "latent_size=3")
BROKEN = "convolutional,discriminator_learning_rate=1e38"  # its logits are NaN after a step


@pytest.fixture(scope="module")
def options_of(image_splits: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., ComparisonOptions]:
    data_dir = tmp_path_factory.mktemp("prepared")

    def make(out: Path, variants: tuple[str, ...] = ("convolutional",), **options: object) -> ComparisonOptions:
        given = {
            "seeds": 2,
            "images": 160,
            "evaluations": 2,
            "metrics": ("fd",),
            "samples": 60,
            "extractor": "pooling",
            **options,
        }
        given["budget"] = Budget(**{name: given.pop(name) for name in list(given) if name in vars(Budget())})
        return ComparisonOptions(
            variants=variants,
            datasets=(str(image_splits),),
            settings=TINY,
            plugins=PLUGINS,
            data_dir=data_dir,
            out=out,
            **given,
        )

    return make


@pytest.fixture(scope="module")
def compared(
    options_of: Callable[..., ComparisonOptions], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict]:
    """Two seeds of a stack that learns, and of one that diverges."""
    out = tmp_path_factory.mktemp("compared")
    with jobs_here():
        found = compare(options_of(out, ("convolutional", BROKEN)), command="zoo compare", progress=False)
    return out, found


def cells_of(found: dict, label: str) -> list[dict]:
    return [cell for cell in found["cells"] if cell["label"] == label]


def test_every_run_has_its_scores_its_curve_and_its_cost(compared: tuple[Path, dict]):
    _, found = compared
    cells = cells_of(found, "convolutional")
    assert [(cell["seed"], cell["state"]) for cell in cells] == [(0, "done"), (1, "done")]
    for cell in cells:
        assert [point["step"] for point in cell["curve"]] == [20, 40]
        assert [point["images"] for point in cell["curve"]] == [80, 160]
        assert cell["curve"][1]["seconds"] > cell["curve"][0]["seconds"] > 0
        assert cell["last"]["fd_pooling"]["value"] == cell["curve"][1]["scores"]["fd_pooling"]
        assert (cell["cost"]["steps"], cell["cost"]["images"]) == (40, 160)
        assert cell["cost"]["peak_memory"] > 10**8
        assert cell["cost"]["generator_parameters"] == 4 * 32 + 2 * 9 + 1  # dense with bias, then convolution with bias
        assert (Path(compared[0]) / cell["picture"]).is_file()


def test_the_best_checkpoint_is_scored_on_latents_that_did_not_choose_it(compared: tuple[Path, dict]):
    _, found = compared
    for cell in cells_of(found, "convolutional"):
        values = {point["step"]: point["scores"]["fd_pooling"] for point in cell["curve"]}
        best = cell["best"]["fd_pooling"]
        assert best["step"] == min(values, key=values.get)
        assert best["value"] != values[best["step"]]
        assert best["value"] == pytest.approx(values[best["step"]], rel=0.5)


def test_a_run_that_diverges_is_shown_with_its_reason_and_ranks_last(compared: tuple[Path, dict]):
    _, found = compared
    assert [cell["state"] for cell in cells_of(found, BROKEN)] == ["diverged", "diverged"]
    assert all("Training diverged at step" in cell["reason"] for cell in cells_of(found, BROKEN))
    assert [cell["health"] for cell in cells_of(found, BROKEN)] == ["non-finite", "non-finite"]
    (scores,) = found["rankings"].values()
    summaries = scores["fd_pooling"]["last"]["summaries"]
    assert (summaries[BROKEN]["runs"], summaries[BROKEN]["finished"]) == (2, 0)
    assert scores["fd_pooling"]["last"]["leaders"] == ("convolutional",)
    assert any("2 of 4 runs diverged" in note for note in found["notes"])


def test_the_command_prints_what_the_statistics_support(compared: tuple[Path, dict]):
    lines = printed(compared[1]).splitlines()
    assert lines[2].startswith("fd_pooling (lower is better): convolutional leads; no run of convolutional,")
    assert not any(line.startswith("*") for line in lines)
    assert any(line.split()[:1] == [BROKEN] and line.endswith("2 non-finite") for line in lines)
    decided = json.loads(json.dumps(compared[1]))
    (scores,) = decided["rankings"].values()
    scores["fd_pooling"]["last"]["differences"][0]["verdict"] = "better"
    lines = printed(decided).splitlines()
    assert [line.split()[:2] for line in lines if line.startswith("*")] == [["*", "convolutional"], ["*", "best"]]


def test_the_report_is_written_beside_the_runs(compared: tuple[Path, dict]):
    out, found = compared
    assert {path.name for path in out.iterdir()} >= {
        "report.html",
        "report.md",
        "scores.csv",
        "comparison.json",
        "runs",
    }
    assert json.loads((out / "comparison.json").read_text())["cells"] == found["cells"]
    assert "2 diverged, 2 unhealthy" in (out / "report.md").read_text()


def test_the_same_call_trains_nothing_again_and_more_seeds_add_to_what_is_there(
    compared: tuple[Path, dict], options_of: Callable[..., ComparisonOptions]
):
    out, before = compared
    times = {path: path.stat().st_mtime_ns for path in out.glob("runs/**/outcome.json")}
    again = compare(options_of(out, ("convolutional", BROKEN)), progress=False)
    assert again["cells"] == before["cells"]
    more = compare(options_of(out, seeds=3), progress=False)
    assert [cell["seed"] for cell in more["cells"]] == [0, 1, 2]
    assert times == {path: path.stat().st_mtime_ns for path in times}


def test_another_setup_in_the_same_folder_is_refused(
    compared: tuple[Path, dict], options_of: Callable[..., ComparisonOptions]
):
    with pytest.raises(ZooError, match=r"budget.images: 160 there, 320 here"):
        compare(options_of(compared[0], images=320), progress=False)


def test_mistakes_are_reported_before_anything_is_trained(options_of: Callable[..., ComparisonOptions], tmp_path: Path):
    out = tmp_path / "none"
    for variants, options, message in (
        (("convolutoinal",), {}, "Did you mean 'convolutional'"),
        (("convolutional",), {"extractor": "poolign"}, "Unknown extractor: 'poolign'"),
        (("convolutional",), {"sweeps": ("batch_size=4,many",)}, "batch_size"),
        ((), {"benchmark": "ring9"}, "Did you mean 'ring8'"),
    ):
        with rehearsals_here(), pytest.raises(ZooError, match=message):
            compare(options_of(out, variants, **options), progress=False)
    assert not out.exists()


def test_all_that_would_stop_a_run_is_reported_before_anything_is_trained(
    options_of: Callable[..., ComparisonOptions], image_splits: Path, tmp_path: Path
):
    out = tmp_path / "none"
    variants = ("convolutional", "convolutional,widht=3", "dcgan")
    with pytest.raises(ZooError) as error:
        compare(options_of(out, variants, metrics=("modes", "kid")), progress=False)
    recipe, networks, score = str(error.value).splitlines()
    assert recipe.startswith(f"convolutional,widht=3 on {image_splits}: --set: Unknown recipe field: 'widht'.")
    assert networks.startswith(
        f"dcgan on {image_splits}: Plugin 'dcgan' makes square images of 28 pixels or a power of two"
    )
    assert score.startswith(f"{image_splits}: ")
    assert "modes of images are digits: --extractor digits" in score
    assert not out.exists()


def test_what_a_metric_needs_of_a_generator_is_asked_of_each_kind_of_it(tmp_path: Path):
    """Class accuracy has labels of a conditional generator, as its run will, and none of another."""
    draw = np.random.default_rng(0)
    samples, tested = draw.integers(0, 256, (2, 20, 8, 8), dtype=np.uint8)
    labels = np.arange(20) % 2
    np.savez(tmp_path / "own.npz", samples=samples, labels=labels, test_samples=tested, test_labels=labels)
    question = {"look": {}, "metrics": ["class-accuracy"], "samples": 20, "extractor": None}
    common = {
        "dataset": str(tmp_path / "own.npz"), "settings": ["generator_units=8", "discriminator_units=8"], "seed": 0,
        "plugins": [], "engine": {"backend": None, "precision": "float32"}, "question": question,
        "data_dir": str(tmp_path),
    }  # fmt: skip
    jobs = [{**common, "stack": stack, "label": stack} for stack in ("vanilla+cgan", "vanilla", "vanilla+acgan")]
    assert problems_of(jobs[::2], Silent()) == []
    (only,) = problems_of(jobs, Silent())
    assert only.startswith(f"vanilla on {common['dataset']}: The metric 'class-accuracy' can't be measured here: only")


def test_any_runs_make_a_report(compared: tuple[Path, dict], tmp_path: Path):
    folder = next(path for path in compared[0].glob("runs/convolutional/*"))
    found = report([folder / "0", folder / "1"], tmp_path / "report", title="two runs")
    assert [cell["seed"] for cell in found["cells"]] == [0, 1]
    assert "two runs" in (tmp_path / "report" / "report.html").read_text()


SCRIPT = """
import sys
from pathlib import Path
from zoo import Budget
from zoo.base.progress import Silent
from zoo.comparison import comparing
from zoo.comparison.comparing import ComparisonOptions, compare
from zoo.comparison.executors.choice import ExecutorChoice
comparing.rehearse = lambda jobs, progress: None  # another test has it
options = eval(sys.argv[1])
try:
    compare(ComparisonOptions(**options), executor=ExecutorChoice(jobs=1), progress=True)
except KeyboardInterrupt as error:
    sys.exit(getattr(error, "exit_code", 1))
"""


@pytest.fixture
def begun(options_of: Callable[..., ComparisonOptions], tmp_path: Path) -> Iterator[subprocess.Popen]:
    """A comparison of two long runs in a process of its own, past the first checkpoint of the first one."""
    requested = vars(options_of(tmp_path / "cut", **{**LONG, "seeds": 2}))
    options = {name: value for name, value in requested.items() if name not in ("data", "engine")}
    text = repr(options).replace("PosixPath(", "Path(")
    with subprocess.Popen([sys.executable, "-c", SCRIPT, text], stderr=subprocess.PIPE, text=True) as process:
        while not list((tmp_path / "cut").glob("runs/**/step-*.npz")):
            assert process.poll() is None, process.stderr.read()
            time.sleep(0.05)
        yield process
        process.kill()


LONG = {"seeds": 1, "images": 3_000, "evaluations": 6}


@pytest.mark.parametrize("how", [signal.SIGINT, pytest.param(signal.SIGKILL, marks=pytest.mark.long)])
def test_what_was_interrupted_or_killed_continues_to_the_same_bits(
    how: signal.Signals,
    begun: subprocess.Popen,
    options_of: Callable[..., ComparisonOptions],
    tmp_path: Path,
    whole: Path,
):
    begun.send_signal(how)
    begun.wait()
    assert begun.returncode == (130 if how == signal.SIGINT else -signal.SIGKILL)
    (run,) = (path.parent for path in (tmp_path / "cut").glob("runs/**/0/job.json"))
    assert read_outcome(run) is None
    if how == signal.SIGINT:
        report = json.loads((tmp_path / "cut" / "comparison.json").read_text())
        assert [(cell["seed"], cell["state"]) for cell in report["cells"]] == [(0, "stopped"), (1, "waiting")]
    compare(options_of(tmp_path / "cut", **LONG), progress=False)
    assert read_outcome(run)["state"] == "done"
    states = [read_path(RunDirectory(each).checkpoints.paths()[-1])[0] for each in (run, whole)]
    assert int(states[0]["steps"]) == 750
    for name, array in states[1].items():
        np.testing.assert_array_equal(array, states[0][name], err_msg=name)


@pytest.fixture(scope="module")
def whole(options_of: Callable[..., ComparisonOptions], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same run, never interrupted."""
    out = tmp_path_factory.mktemp("whole")
    with rehearsals_here():
        compare(options_of(out, **LONG), progress=False)
    (run,) = (path.parent for path in out.glob("runs/**/job.json"))
    return run
