"""zoo augment: counts of classes, the three formats read back, the manifest, and what is refused."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from click.testing import CliRunner

import zoo
from zoo import ZooError
from zoo.base.progress import Silent
from zoo.catalogue import read_catalogue
from zoo.cli import cli
from zoo.data import DataOptions, open_dataset
from zoo.data.fields import Field
from zoo.training.augmentation import Augmentation, augment

STACKS = Path(__file__).parents[1] / "stacks"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> zoo.Run:
    """A conditional run on three classes of 20, 10 and 2 images."""
    folder = tmp_path_factory.mktemp("run")
    draw = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], [20, 10, 2])
    images = draw.integers(0, 256, (32, 8, 8, 1), dtype=np.uint8)
    np.savez(folder / "images.npz", samples=images, labels=labels, test_samples=images[8:24], test_labels=labels[8:24])
    return zoo.run(
        "conditional",
        dataset=str(folder / "images.npz"),
        budget=zoo.Budget(1),
        out=folder / "run",
        data_dir=folder,
        settings={"batch_size": 4},
        plugins=[STACKS / "conditional.py"],
        progress=False,
    )


def invoked(run: zoo.Run, *words: object) -> dict:
    places = ["--data-dir", str(run.path.parent), "--json"]
    done = CliRunner().invoke(cli, ["augment", str(run.path), *map(str, words), *places], catch_exceptions=False)
    return json.loads(done.stdout)


def test_classes_are_in_proportion_equal_or_made_up_to_a_number() -> None:
    field, real = Field("label", (), 1.0, ("Bag", "Coat", "Boot"), (20 / 32, 10 / 32, 2 / 32)), np.array([20, 10, 2])

    def counts(**wanted: object) -> list[int]:
        return np.bincount(Augmentation(**wanted).labels(field, real), minlength=3).tolist()

    assert counts(count=32) == [20, 10, 2]
    assert counts(count=10) == [6, 3, 1]  # 6.25, 3.125, .625: the largest remainder is given the last
    assert counts(per_class=4) == [4, 4, 4]
    assert counts(balance=0) == [0, 10, 18]
    assert counts(balance=12) == [0, 2, 10]
    assert counts(classes=(("boot", 3), ("0", 1))) == [1, 0, 3]
    with pytest.raises(ZooError, match=r"Unknown class: 'Cot'\. Did you mean 'Coat'\?"):
        counts(classes=(("Cot", 3),))


def test_a_folder_is_a_data_set_with_the_classes_and_the_real_images(run: zoo.Run, tmp_path: Path) -> None:
    manifest = invoked(run, "--balance", "--with-real", "--out", tmp_path / "set")
    assert [(each["real"], each["generated"]) for each in manifest["classes"]] == [(20, 0), (10, 10), (2, 18)]
    assert json.loads((tmp_path / "set" / "manifest.json").read_text()) == manifest
    data = open_dataset(str(tmp_path / "set"), read_catalogue(), data_dir=tmp_path)
    assert data.count == 60
    assert data.class_names == ("0-0", "1-1", "2-2")
    rows = sorted((tmp_path / "set" / "train" / "1-1").iterdir())
    assert [path.name for path in (rows[0], rows[-1])] == ["generated-000000.png", "real-000009.png"]


def test_the_real_test_images_are_kept_apart_from_all_generated_ones(run: zoo.Run, tmp_path: Path) -> None:
    with np.load(run.path.parent / "images.npz") as arrays:
        real, labels = arrays["test_samples"], arrays["test_labels"]
    for name in ("set", "set.npz"):
        manifest = invoked(run, "--balance", "--with-real", "--out", tmp_path / name)
        assert (manifest["test"], sum(each["test"] for each in manifest["classes"])) == (16, 16)
        data = open_dataset(str(tmp_path / name), read_catalogue(), data_dir=tmp_path, options=DataOptions("test"))
        order = np.argsort(labels, kind="stable")
        found = np.argsort(data.labels, kind="stable")
        np.testing.assert_array_equal(data.samples[found], real[order])
        np.testing.assert_array_equal(data.labels[found], labels[order])


def test_what_comes_next_reads_the_set_as_it_is_to_be_read(run: zoo.Run, tmp_path: Path) -> None:
    def printed(*words: object) -> str:
        places = ["--data-dir", str(run.path.parent)]
        done = CliRunner().invoke(cli, ["augment", str(run.path), *map(str, words), *places], catch_exceptions=False)
        return done.stdout

    out = tmp_path / "my set"
    text = printed("--class", "2=5", "--class", "0=1", "--out", out)
    assert f"6 images: {out}" in text
    assert f"zoo run dcgan --dataset '{out}' --split all" in text
    text = printed("--balance", "--with-real", "--out", tmp_path / "both")
    assert f"28 images and 32 real ones, 16 real ones to test with: {tmp_path / 'both'}" in text
    assert text.rstrip().endswith(f"--dataset {tmp_path / 'both'}")


def test_a_run_that_changes_images_is_refused_with_the_command_that_does(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    np.savez(tmp_path / "it.npz", samples=draw.integers(0, 256, (8, 8, 8, 1), dtype=np.uint8), labels=[0, 1] * 4)
    changing = zoo.run(
        "stargan", dataset=str(tmp_path / "it.npz"), budget=zoo.Budget(1), out=tmp_path / "run", data_dir=tmp_path,
        settings={"batch_size": 2, "width": 2, "residual_blocks": 1}, progress=False,
    )  # fmt: skip
    with pytest.raises(ZooError, match=r"'stargan' changes images, it makes none: .* zoo translate .*run IMAGES --cl"):
        augment(changing, tmp_path / "set", Augmentation(count=3), Silent(), tmp_path)


@pytest.mark.parametrize("name", ["set", "set.npz", "set.tfrecord"])
def test_what_is_interrupted_leaves_nothing_behind(run: zoo.Run, tmp_path: Path, name: str) -> None:
    class Impatient(Silent):
        def counting(self, what: str, done: int, total: int) -> None:
            raise KeyboardInterrupt

    for wanted in (Augmentation(per_class=1), Augmentation(per_class=1, with_real=True)):
        with pytest.raises(KeyboardInterrupt, match=rf"nothing is kept at .*{name}\. The same command begins anew\."):
            augment(run, tmp_path / name, wanted, Impatient(), run.path.parent)
        assert list(tmp_path.iterdir()) == []


def test_files_hold_the_runs_own_samples_with_their_labels(run: zoo.Run, tmp_path: Path) -> None:
    manifest = invoked(run, "--per-class", 3, "--seed", 5, "--out", tmp_path / "set.npz")
    labels = np.repeat([0, 1, 2], 3)
    expected = run.sample(9, seed=5, conditions={"labels": labels})
    with np.load(tmp_path / "set.npz") as arrays:
        np.testing.assert_array_equal(arrays["samples"], expected)
        np.testing.assert_array_equal(arrays["labels"], labels)
        assert arrays["generated"].all()
    assert open_dataset(str(tmp_path / "set.npz"), read_catalogue(), data_dir=tmp_path).classes == 3
    assert manifest == json.loads((tmp_path / "set.npz.manifest.json").read_text())
    assert (manifest["generated"], manifest["checkpoint"]["step"], manifest["format"]) == (9, 1, "npz")

    invoked(run, "--per-class", 3, "--seed", 5, "--out", tmp_path / "set.tfrecord")
    found = []
    for record in tf.data.TFRecordDataset(str(tmp_path / "set.tfrecord")):
        example = tf.train.Example.FromString(record.numpy()).features.feature
        image = tf.io.decode_png(example["image/encoded"].bytes_list.value[0]).numpy()
        found.append((image, example["image/class/label"].int64_list.value[0]))
    np.testing.assert_array_equal(np.stack([image for image, _ in found]), expected)
    assert [label for _, label in found] == labels.tolist()


def test_a_balanced_tfrecord_is_read_by_tf_data_with_what_is_real_and_its_manifest(
    run: zoo.Run, tmp_path: Path
) -> None:
    out = tmp_path / "set.tfrecord"
    manifest = invoked(run, "--balance", 12, "--with-real", "--out", out)
    features = {
        "image/encoded": tf.io.FixedLenFeature([], tf.string),
        "image/class/label": tf.io.FixedLenFeature([], tf.int64),
        "image/class/text": tf.io.FixedLenFeature([], tf.string),
        "generated": tf.io.FixedLenFeature([], tf.int64),
    }
    rows = [tf.io.parse_single_example(each, features) for each in tf.data.TFRecordDataset(str(out))]
    made = np.array([int(row["generated"]) for row in rows])
    labels = np.array([int(row["image/class/label"]) for row in rows])
    counts = [np.bincount(labels[made == kind], minlength=3).tolist() for kind in (0, 1)]
    assert counts == [[20, 10, 2], [0, 2, 10]]
    assert {int(row["image/class/label"]): row["image/class/text"].numpy().decode() for row in rows} == {
        each["number"]: each["name"] for each in manifest["classes"]
    }
    assert [
        [each["real"] for each in manifest["classes"]],
        [each["generated"] for each in manifest["classes"]],
    ] == counts
    real = np.stack([tf.io.decode_png(row["image/encoded"]).numpy() for row in np.array(rows, object)[made == 0]])
    with np.load(run.path.parent / "images.npz") as arrays:
        np.testing.assert_array_equal(real, arrays["samples"])
    assert manifest["sha256"] == hashlib.sha256(out.read_bytes()).hexdigest()
    assert json.loads((tmp_path / "set.tfrecord.manifest.json").read_text()) == manifest


def test_a_run_is_scored_by_what_its_images_teach(run: zoo.Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from zoo.evaluation.classifier import Teaching, taught
    from zoo.evaluation.metrics import classification

    short = Teaching(steps=2, batch=4, width=2)
    monkeypatch.setattr(classification, "taught", lambda *words, **options: taught(*words, **options, teaching=short))
    options = zoo.EvaluationOptions(["classifier"], samples=12, data_dir=run.path.parent, allow_training=True)
    [evaluation] = zoo.evaluate(run, options=options, progress=False)
    assert [score["name"] for score in evaluation["scores"]] == ["cas", "gan_test", "real_accuracy"]
    assert all(0 <= score["value"] <= 1 for score in evaluation["scores"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--out", "x.npz"], "Say how many images are to be made, in one way"),
        (["--count", "3", "--per-class", "2", "--out", "x.npz"], "Say how many images are to be made, in one way"),
        (["--count", "3", "--out", "x.csv"], "expected a folder, a file.npz or a file.tfrecord"),
        (["--count", "3", "--out", "there"], "there exists: choose another place"),
        (["--class", "Bag", "--out", "x"], "--class Bag: expected a class and how many images of it"),
        (["--count", "3", "--out", "there/a.png/x"], r"Can't write .*Not a directory.*another place with --out"),
        (["--balance", "1", "--out", "x"], "Every class has as many images as are wanted already"),
    ],
)
def test_mistakes_are_told(words: list[str], message: str, run: zoo.Run, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "a.png").write_bytes(b"")
    places = [
        str(tmp_path / word) if before == "--out" else word for before, word in zip(["", *words], words, strict=False)
    ]
    words = ["augment", str(run.path), *places, "--data-dir", str(run.path.parent)]
    with pytest.raises(ZooError, match=message):
        CliRunner().invoke(cli, words, catch_exceptions=False, standalone_mode=False)
