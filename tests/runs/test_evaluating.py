"""`zoo evaluate` and `zoo scores` from end to end, with a small extractor that is a plugin."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import zoo
from zoo.base.pictures import to_uint8
from zoo.catalogue import PluginEntry, load_plugin
from zoo.evaluation.evaluation_file import EvaluationFile
from zoo.evaluation.scoring import score_table

EXTRACTOR = Path(__file__).parents[1] / "stacks" / "pooling.py"
OPTIONS = ("--extractor", "pooling", "--plugin", EXTRACTOR, "--metrics", "fd,kid")
SPLITS = {"train": 150, "test": 100}


@pytest.fixture(scope="module")
def splits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two splits of random images of 8 x 8 pixels, in one file."""
    draw = np.random.default_rng(3)
    arrays = {name: draw.integers(0, 256, (count, 8, 8, 1), dtype=np.uint8) for name, count in SPLITS.items()}
    path = tmp_path_factory.mktemp("splits") / "images.npz"
    np.savez(path, samples=arrays["train"], test_samples=arrays["test"])
    return path


@pytest.fixture(scope="module")
def run(train: Callable[..., zoo.Run], splits: Path, tmp_path_factory: pytest.TempPathFactory) -> zoo.Run:
    return train(tmp_path_factory.mktemp("scored") / "run", dataset=splits, steps=20)


@pytest.fixture
def fresh(run: zoo.Run) -> Iterator[zoo.Run]:
    """The run without what a test before has measured."""
    yield run
    (run.path / "evaluation.json").unlink(missing_ok=True)


@pytest.fixture
def pooling() -> ModuleType:
    return load_plugin(PluginEntry("pooling", None, EXTRACTOR, "test"))


def by_name(evaluation: dict) -> dict:
    return {score["name"]: score for score in evaluation["scores"]}


def test_a_run_is_scored_with_its_averaged_generator_against_its_test_split(
    fresh: zoo.Run, zoo_command: Callable, splits: Path
) -> None:
    result = zoo_command("evaluate", fresh.path, *OPTIONS, "--samples", 100, "--json")
    assert result.code == 0, result.err
    (evaluation,) = json.loads(result.out)
    assert evaluation == EvaluationFile(fresh.path / "evaluation.json").read()[0]
    protocol = by_name(evaluation)["fd_pooling"]["protocol"]
    assert protocol["generated"] == {
        "count": 100,
        "weights": "averaged where kept",
        "averaged": True,
        "batch_norm": "inference",
    }
    assert (protocol["real"]["split"], protocol["real"]["count"]) == ("test", 100)
    assert protocol["extractor"] == {"name": "pooling", "sha256": "0" * 64, "preparation": "plain"}

    made = to_uint8(fresh.sampler.samples(fresh.sampler.latents(100, 0)))
    expected = frechet_by_hand(pooled(np.load(splits)["test_samples"]), pooled(made))
    assert by_name(evaluation)["fd_pooling"]["value"] == pytest.approx(expected, rel=1e-6)


def pooled(images: np.ndarray) -> np.ndarray:
    return images.reshape(len(images), 4, 2, 4, 2).mean(axis=(2, 4)).reshape(len(images), -1) / 255


def frechet_by_hand(real: np.ndarray, fake: np.ndarray) -> float:
    from scipy.linalg import sqrtm

    root = sqrtm(np.cov(real.T) @ np.cov(fake.T))
    means = np.sum((real.mean(0) - fake.mean(0)) ** 2)
    return float(means + np.trace(np.cov(real.T) + np.cov(fake.T) - 2 * root.real))


def test_raw_weights_and_another_preparation_are_other_protocols(fresh: zoo.Run, zoo_command: Callable) -> None:
    common = ("evaluate", fresh.path, *OPTIONS, "--samples", 100)
    for more in ((), ("--raw",), ("--resize", "other"), ()):
        assert zoo_command(*common, *more).code == 0
    scores = [score for _, score in scores_of(fresh) if score["name"] == "fd_pooling"]
    assert len(scores) == 3  # the fourth replaced the first
    assert {score["protocol"]["generated"]["weights"] for score in scores} == {"averaged where kept", "raw"}


def scores_of(run: zoo.Run) -> list:
    return [
        (each["step"], score)
        for each in EvaluationFile(run.path / "evaluation.json").read()
        for score in each["scores"]
    ]


def test_another_seed_is_another_draw_of_the_same_protocol(
    fresh: zoo.Run, zoo_command: Callable, tmp_path: Path
) -> None:
    files = []
    for seed in (0, 1):
        files.append(tmp_path / f"seed-{seed}.json")
        words = ("evaluate", fresh.path, *OPTIONS, "--samples", 100, "--seed", seed, "--out", files[-1])
        assert zoo_command(*words).code == 0
    rows = score_table(files)
    values = [row["scores"][0]["value"] for row in rows]
    assert values[0] != values[1]


def test_scores_of_different_protocols_are_not_put_in_one_table(
    fresh: zoo.Run, zoo_command: Callable, tmp_path: Path
) -> None:
    for count in (32, 100):
        words = ("evaluate", fresh.path, *OPTIONS, "--samples", count, "--out", tmp_path / f"{count}.json")
        assert zoo_command(*words).code == 0
    result = zoo_command("scores", tmp_path / "32.json", tmp_path / "100.json")
    assert result.code == 2
    assert "can't be compared: their protocols differ." in result.err
    assert "generated.count: 32 there, 100 here" in result.err
    assert zoo_command("scores", tmp_path / "32.json", tmp_path / "32.json").code == 0


def test_real_features_are_measured_once(fresh: zoo.Run, zoo_command: Callable, pooling: ModuleType) -> None:
    words = ("evaluate", fresh.path, *OPTIONS, "--samples", 99, "--resize", "counted")
    seen = []
    for _ in range(2):
        pooling.Pooling.calls = 0
        assert zoo_command(*words).code == 0
        seen.append(pooling.Pooling.calls)
    assert seen == [1 + 198, 1 + 99]  # one image tells beforehand what the network answers


def test_images_that_were_trained_on_are_refused_unless_asked_for(
    fresh: zoo.Run, zoo_command: Callable, splits: Path
) -> None:
    words = ("evaluate", fresh.path, *OPTIONS, "--samples", 100)
    for split in ("train", "all", "train[:50%]"):
        result = zoo_command(*words, "--split", split)
        assert result.code == 2
        assert "trained on (train)" in result.err
        assert "--allow-training" in result.err
    assert zoo_command(*words, "--split", "train", "--allow-training").code == 0


def test_training_images_under_another_name_are_refused_too(
    fresh: zoo.Run, zoo_command: Callable, splits: Path, tmp_path: Path
) -> None:
    np.savez(tmp_path / "renamed.npz", samples=np.load(splits)["samples"][::-1])
    result = zoo_command(
        "evaluate", fresh.path, *OPTIONS, "--samples", 100, "--dataset", tmp_path / "renamed.npz", "--split", "all"
    )
    assert result.code == 2
    assert "100% of the real samples" in result.err


def test_files_are_scored_against_files_and_equal_ones_have_distance_zero(
    zoo_command: Callable, splits: Path, tmp_path: Path
) -> None:
    for name in ("one", "other"):
        np.save(tmp_path / f"{name}.npy", np.load(splits)["test_samples"])
    result = zoo_command("evaluate", tmp_path / "one.npy", "--against", tmp_path / "other.npy", *OPTIONS, "--json")
    assert result.code == 0, result.err
    (evaluation,) = json.loads(result.out)
    assert by_name(evaluation)["fd_pooling"]["value"] == pytest.approx(0, abs=1e-9)
    assert by_name(evaluation)["fd_pooling"]["protocol"]["generated"]["weights"] == "files"


def test_files_are_scored_against_a_dataset_with_its_training_images_as_suspects(
    zoo_command: Callable, splits: Path, tmp_path: Path
) -> None:
    np.savez(tmp_path / "copies.npz", samples=np.load(splits)["samples"])  # a generator that has learnt by heart
    words = ("evaluate", tmp_path / "copies.npz", "--dataset", splits, "--extractor", "pooling", "--plugin", EXTRACTOR)
    result = zoo_command(*words, "--metrics", "memorisation", "--out", tmp_path / "e.json", "--json")
    assert result.code == 0, result.err
    (evaluation,) = json.loads(result.out)
    assert by_name(evaluation)["near_copies"]["value"] == 1
    assert by_name(evaluation)["nearest_ratio"]["value"] == 0
    assert Path(evaluation["pictures"]["memorisation"]).is_file()


def test_points_are_scored_in_original_units(train: Callable, zoo_command: Callable, tmp_path: Path) -> None:
    train(tmp_path / "ring", dataset="ring8", steps=3)
    result = zoo_command("evaluate", tmp_path / "ring", "--samples", 500, "--json")
    assert result.code == 0, result.err
    (evaluation,) = json.loads(result.out)
    assert {"modes", "high_quality", "reverse_kl", "swd", "fd_coordinates"} <= by_name(evaluation).keys()
    assert "is_coordinates" not in by_name(evaluation)


BAD = {
    "too few samples": (["--samples", "1"], "needs at least"),
    "an unknown metric": (["--metrics", "fdi"], "Unknown metric: 'fdi'. Did you mean 'fd'?"),
    "a metric without its data": (["--metrics", "modes"], "modes of images are digits: --extractor digits"),
    "an unknown extractor": (["--extractor", "incepton"], "Did you mean 'inception'?"),
    "a plugin that is no extractor": (["--extractor", "dcgan"], "'dcgan' (registry.yaml:5) is no extractor"),
    "an unknown preparation": (["--resize", "wrong"], "no preparation 'wrong'"),
    "a run that was never judged": (["--checkpoint", "best"], "--evaluate-every"),
    "files for a run": (["--against", "x.npz"], "it is scored against a dataset"),
    "other shapes": (["--dataset", "fashion_mini"], "Expected generated samples of shape (28, 28, 1)"),
    "no json": (["--out", "scores.txt"], "ends in .json"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_mistake_costs_one_clear_sentence(case: str, run: zoo.Run, zoo_command: Callable) -> None:
    more, message = BAD[case]
    result = zoo_command("evaluate", run.path, *OPTIONS, "--samples", 100, *more)
    assert result.code == 2
    assert message in result.err


def test_a_run_without_checkpoints_says_so(run: zoo.Run, zoo_command: Callable, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "run.yaml").write_text((run.path / "run.yaml").read_text())
    result = zoo_command("evaluate", tmp_path / "run", *OPTIONS)
    assert result.code == 2
    assert "has no checkpoint yet" in result.err


def test_a_torn_checkpoint_is_named(train: Callable, zoo_command: Callable, splits: Path, tmp_path: Path) -> None:
    torn = train(tmp_path / "torn", dataset=splits, steps=3)
    path = torn.directory.checkpoints.paths()[-1]
    path.write_bytes(path.read_bytes()[:1000])
    result = zoo_command("evaluate", torn.path, *OPTIONS, "--samples", 100)
    assert result.code == 2
    assert f"{path} is torn" in result.err


def test_a_generator_that_makes_no_numbers_is_told(
    train: Callable, zoo_command: Callable, splits: Path, tmp_path: Path
) -> None:
    broken = train(tmp_path / "broken", dataset=splits, steps=3)
    path = broken.directory.checkpoints.paths()[-1]
    with np.load(path) as archive:
        state = {name: archive[name] for name in archive.files}
    name = next(each for each in state if each.startswith("average/"))
    state[name] = np.full_like(state[name], np.nan)
    np.savez(path, **state)
    result = zoo_command("evaluate", broken.path, *OPTIONS, "--samples", 100)
    assert result.code == 2
    assert "not finite" in result.err


def test_a_collapsed_generator_is_told(zoo_command: Callable, splits: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "one.npy", np.full((100, 8, 8, 1), 7, np.uint8))
    result = zoo_command("evaluate", tmp_path / "one.npy", "--against", splits, *OPTIONS)
    assert result.code == 2
    assert "All 100 generated samples are the same one" in result.err


def test_files_need_something_to_be_scored_against(zoo_command: Callable, splits: Path) -> None:
    for more in ((), ("--against", splits, "--dataset", splits)):
        result = zoo_command("evaluate", splits, *OPTIONS, *more)
        assert result.code == 2
        assert "--dataset NAME or --against PATH" in result.err


def test_a_run_whose_data_have_changed_is_refused(
    train: Callable, zoo_command: Callable, splits: Path, tmp_path: Path
) -> None:
    path = tmp_path / "mine.npz"
    path.write_bytes(splits.read_bytes())
    run = train(tmp_path / "run", dataset=path, steps=3)
    arrays = dict(np.load(splits))
    np.savez(path, **{**arrays, "samples": arrays["samples"][::-1]})
    result = zoo_command("evaluate", run.path, *OPTIONS, "--samples", 100)
    assert result.code == 2
    assert "is not what the run was trained on" in result.err


def test_a_run_on_classes_in_folders_is_scored(train: Callable, zoo_command: Callable, tmp_path: Path) -> None:
    folder = tmp_path / "classes"
    draw = np.random.default_rng(0)
    for split, count in SPLITS.items():
        for kind in ("a", "b"):
            (folder / split / kind).mkdir(parents=True)
            for index in range(count // 2):
                save(folder / split / kind / f"{index}.png", draw.integers(0, 256, (8, 8), dtype=np.uint8))
    run = train(tmp_path / "run", dataset=folder, steps=3)
    assert zoo_command("evaluate", run.path, *OPTIONS, "--samples", 100).code == 0


def test_a_run_on_images_of_two_channels_is_scored_by_what_reads_no_network(
    train: Callable, zoo_command: Callable, tmp_path: Path
) -> None:
    draw = np.random.default_rng(0)
    arrays = {name: draw.integers(0, 256, (40, 16, 16, 2), dtype=np.uint8) for name in ("samples", "test_samples")}
    np.savez(tmp_path / "two.npz", **arrays)
    run = train(tmp_path / "run", dataset=tmp_path / "two.npz", steps=2)
    assert run.record["dataset"]["description"]["channels"] == 2
    words = ("evaluate", run.path, "--samples", 20, "--extractor", "digits", "--metrics")
    scored = zoo_command(*words, "swd")
    assert scored.code == 0, scored.err
    refused = zoo_command(*words, "fd")
    assert "'digits' can't measure an array (1, 16, 16, 2) of uint8" in refused.err


def save(path: Path, pixels: np.ndarray) -> None:
    from PIL import Image

    Image.fromarray(pixels).save(path)


def test_the_python_function_gives_the_same(fresh: zoo.Run) -> None:
    options = zoo.EvaluationOptions(("fd",), 100, extractor="pooling")
    (evaluation,) = zoo.evaluate(fresh.path, options=options, plugins=[EXTRACTOR], progress=False)
    assert [score["name"] for score in evaluation["scores"]] == ["fd_pooling"]
