import json
from pathlib import Path

import numpy as np
import pytest
import yaml

import zoo
from zoo.base.progress import Silent
from zoo.diagnosis.of_run import trainer_of
from zoo.runs import pretrained
from zoo.runs.checkpoints import read_path
from zoo.sharing import packing
from zoo.sharing.card import protocol, score_lines
from zoo.training.loading import completed


@pytest.fixture(scope="module")
def packed(finished: zoo.Run, tmp_path_factory) -> Path:
    """The run in half precision."""
    return zoo.pack(finished, tmp_path_factory.mktemp("packed") / "tiny@images", zoo.Packing(license="mit"))


def test_a_packed_run_draws_the_samples_of_its_run_within_what_half_precision_rounds(packed: Path, finished: zoo.Run):
    weights, _ = read_path(next(packed.glob("checkpoints/*.npz")))
    with np.load(next(packed.glob("checkpoints/*.npz"))) as archive:
        assert {archive[name].dtype for name in archive.files if name.endswith("kernel")} == {np.dtype("f2")}
    assert {name.partition("/")[0] for name in weights} == {"generator", "discriminator", "steps"}
    made, wanted = (run.sample(20, seed=3).astype(int) for run in (zoo.load(packed), finished))
    assert np.abs(made - wanted).max() <= 2  # of 255


def test_a_packed_run_names_no_place_of_the_machine_that_trained(packed: Path, images: Path):
    for file in (packed / "run.yaml", packed / "README.md", packed / "packed.json"):
        assert str(images.parent) not in file.read_text()


def test_the_card_holds_what_hubs_index(packed: Path):
    _, front, text = (packed / "README.md").read_text().split("---\n", 2)
    metadata = yaml.safe_load(front)
    assert metadata["library_name"] == "gan-zoo"
    assert metadata["license"] == "mit"
    assert metadata["pipeline_tag"] == "unconditional-image-generation"
    assert "vanilla" in metadata["tags"]
    assert "(samples.png)" in text
    assert "None was measured." in text
    assert "zoo run vanilla --dataset images.npy --seed 0" in text


def test_the_card_has_scores_that_no_network_measured():
    score = {
        "name": "swd", "value": 11.5, "interval": [11.0, 12.0], "better": "lower",
        "protocol": {"extractor": None, "generated": {"count": 100}, "real": {"count": 50, "dataset": "x"}, "seed": 0},
    }  # fmt: skip
    evaluations = [{"evaluated": "2026-01-01", "step": 3, "periodic": False, "scores": [score]}]
    assert protocol(score) == {"generated": 100, "real": 50, "seed": 0}
    assert "| swd | 11.5 | 11 to 12 | lower | none | 100 | 50 of x,  |" in list(score_lines(evaluations, True))


def test_what_can_not_be_packed_leaves_nothing_behind(finished: zoo.Run, tmp_path: Path, monkeypatch):
    def interrupted(folder: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(packing, "draw_samples", interrupted)
    with pytest.raises(KeyboardInterrupt):
        zoo.pack(finished, tmp_path / "packed")
    assert list(tmp_path.iterdir()) == []


def test_a_pretrained_name_stands_wherever_a_run_does(packed: Path, zoo_command, monkeypatch, tmp_path: Path):
    monkeypatch.setattr(pretrained, "FOLDER", packed.parent)
    before = sorted(packed.rglob("*"))
    assert (
        zoo_command("sample", "tiny@images", "--count", 4).out
        == "runs/pretrained/tiny@images/samples/samples-seed-0.png\n"
    )
    assert (zoo.load("tiny@images").sample(2) == zoo.load(packed).sample(2)).all()
    rows = json.loads(zoo_command("list", "pretrained", "--json").out)["pretrained"]
    assert [row["name"] for row in rows] == ["tiny@images"]
    assert "vanilla on images.npy" in rows[0]["summary"]
    for words in (["sample"], ["explain"], ["evaluate"]):
        wrong = zoo_command(*words, "tiny@image")
        assert wrong.code == 2
        assert "Unknown pretrained generator: 'tiny@image'. Did you mean 'tiny@images'? Available: " in wrong.err
    raw = zoo_command("evaluate", "tiny@images", "--raw")
    assert "it holds averaged weights alone" in raw.err
    assert sorted(packed.rglob("*")) == before  # what is installed is only read


def test_what_is_shipped_draws_garments_and_is_small():
    names = pretrained.pretrained_names()
    assert "dcgan@fashion_mini" in names
    for name in names:
        assert f"    zoo sample {name}\n" in (pretrained.FOLDER / name / "README.md").read_text()
        assert {"README.md", "run.yaml", "evaluation.json", "packed.json"} <= {
            each.name for each in (pretrained.FOLDER / name).iterdir()
        }
    assert sum(each.stat().st_size for each in pretrained.FOLDER.rglob("*") if each.is_file()) < 12e6
    samples = zoo.load("dcgan@fashion_mini").sample(64)
    assert samples.shape == (64, 28, 28, 1)
    assert (samples[:, :2, :2] < 40).mean() > 0.9  # the corners of garments are black
    assert 40 < samples[:, 10:18, 10:18].mean() < 220


def test_a_run_starts_from_a_packed_one(packed: Path, train, tmp_path: Path):
    begun = train(tmp_path / "begun", steps=1, origin=packed)
    copied = begun.record["origin"]["copied"]
    for player in ("generator", "discriminator"):
        number, _, all_of_them, _ = copied[player].split()
        assert number == all_of_them


def test_a_packed_run_makes_a_whole_trainer_again(packed: Path, images: Path):
    run = zoo.load(packed, images)
    state, _ = read_path(next(packed.glob("checkpoints/*.npz")))
    trainer = trainer_of(run, None, Silent())
    trainer.set_state(completed(state, trainer))
    made = trainer.sampler.samples(trainer.sampler.latents(4, seed=1))
    np.testing.assert_array_equal(run.presented(made), run.sample(4, seed=1))
    alone = {name: each for name, each in state.items() if not name.startswith("discriminator/")}
    with pytest.raises(zoo.ZooError, match="packed without its discriminator"):
        completed(alone, trainer)
