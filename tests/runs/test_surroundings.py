"""Runs and data in read-only places, and a working directory with another program's files of the same names."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import zoo
from zoo.base import files
from zoo.base.progress import Silent
from zoo.catalogue import read_catalogue
from zoo.errors import ZooError, ZooWarning
from zoo.evaluation import features
from zoo.evaluation.extractors.contract import Features

THEIRS = {
    "a service's": "version: 0.1\nlog: {level: debug}\nstorage: {filesystem: {rootdirectory: /var/lib}}\n",
    "a template": "image: {{ .Values.image }}\n",
    "a list": "- one\n- two\n",
    "a text": "hello\n",
    "no text": b"\xff\xfe\x00",
}


@pytest.mark.parametrize("case", THEIRS)
def test_another_programs_registry_is_passed_over_with_a_warning(case: str, tmp_path: Path):
    content = THEIRS[case]
    (tmp_path / "registry.yaml").write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.warns(ZooWarning, match=r"registry\.yaml is not the zoo's and is passed over: "):
        assert "dcgan" in read_catalogue(directory=tmp_path).variants


@pytest.mark.parametrize(
    "text", ["variant: {a: {}}\n", "variants: {a: 1}\n", "variants:\n  a: {{ x }}\n", "plugins: [a]\n"]
)
def test_ones_own_registry_with_a_mistake_is_refused(text: str, tmp_path: Path):
    (tmp_path / "registry.yaml").write_text(text)
    with pytest.raises(ZooError, match=r"registry\.yaml:\d: "):
        read_catalogue(directory=tmp_path)


def test_a_registry_behind_a_link_names_files_beside_it(tmp_path: Path):
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "mine.py").write_text("")
    (tmp_path / "shared" / "registry.yaml").write_text("plugins: {mine: {file: mine.py}}\n")
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "registry.yaml").symlink_to(tmp_path / "shared" / "registry.yaml")
    catalogue = read_catalogue(directory=tmp_path / "work")
    assert catalogue.plugins["mine"].file == (tmp_path / "shared" / "mine.py").resolve()


def test_another_programs_runs_are_passed_over(finished: zoo.Run, zoo_command, tiny_words: Callable[..., list[str]]):
    Path("runs/theirs").mkdir(parents=True)
    Path("runs/theirs/run.yaml").write_text("name: experiment\nsteps: 3\n")
    Path("runs/theirs/events.out").write_text("")
    Path("runs/ours").symlink_to(finished.path)
    report = zoo_command("report", "runs", "--out", "report", "--json")
    assert report.code == 0
    assert (
        "Warning: Passed over: runs/theirs/run.yaml is no record of a run of the zoo: it has no 'stack'." in report.err
    )
    with pytest.warns(ZooWarning, match="Passed over: runs/theirs"):
        assert zoo.load("runs").path == Path("runs/ours")
    refused = zoo_command(*tiny_words("--steps", 1, "--out", "runs/theirs"))
    assert refused.code == 2
    assert "no record of a run of the zoo" in refused.err
    assert Path("runs/theirs/run.yaml").read_text() == "name: experiment\nsteps: 3\n"
    Path("runs/theirs/run.yaml").write_bytes(b"\xff\xfe")
    assert zoo_command("sample", "runs/theirs").err.startswith(
        "Error: runs/theirs/run.yaml is damaged: it is not UTF-8"
    )


def test_a_run_that_is_read_only_is_scored_with_a_warning_and_sampled_elsewhere(
    train: Callable[..., zoo.Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, zoo_command
):
    np.save("points.npy", np.random.default_rng(0).normal(size=(60, 2)).astype("float32"))
    run = train(tmp_path / "run", steps=1, dataset="points.npy")
    score = ("evaluate", run.path, "--metrics", "swd", "--samples", 20, "--split", "train", "--allow-training")
    assert zoo_command(*score).code == 0  # which prepares the data

    def fsync(descriptor: int) -> None:  # of every atomic write; permissions do not bind an administrator
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(files.os, "fsync", fsync)
    scored = zoo_command(*score)
    assert scored.code == 0, scored.err
    assert "swd" in scored.out
    assert f"Warning: The scores are not kept: {run.path / 'evaluation.json'} can't be written (Read-only" in scored.err
    drawn = zoo_command("sample", run.path)
    assert drawn.code == 2
    assert "Read-only file system. Choose another file with --out FILE." in drawn.err


def test_features_are_measured_without_a_place_to_keep_them(monkeypatch: pytest.MonkeyPatch):
    class Means:
        name, sha256, batch_size = "means", "0", 8
        measured = 0

        def features(self, images: np.ndarray) -> Features:
            self.measured += len(images)
            return Features(images.reshape(len(images), -1).mean(axis=1, keepdims=True))

    monkeypatch.setattr(features, "UNKEPT", {})
    images = np.random.default_rng(0).integers(0, 256, (12, 4, 4, 1), dtype=np.uint8)
    extractor = Means()
    key = {"fingerprint": "f" * 64, "count": 12, "extractor": {"name": "means", "sha256": "0"}}
    for _ in range(2):
        side = features.real_side(images, key, extractor, Path("/proc/nowhere"), Silent())
        np.testing.assert_allclose(side.features[:, 0], images.mean(axis=(1, 2, 3)))
    assert extractor.measured == 12
