import json
import os
import shutil
import signal
import subprocess
import sys
from collections import namedtuple

import numpy as np
import pytest
from bare import with_datasets

from zoo import ZooError
from zoo.catalogue import DatasetEntry
from zoo.data import data_directory, open_dataset, prepared_sets
from zoo.data.prepared import cache, directory, writer
from zoo.data.sources.contract import Contents

RING = with_datasets({"ring8": DatasetEntry("ring8", "points", reference="ring8")})
HEAD = {"name": "points", "split": "train", "description": {}}
OPEN_RING = """
import sys
from pathlib import Path
from zoo.catalogue import read_catalogue
from zoo.data import open_dataset
catalogue = read_catalogue()
"""
KILLED = (
    OPEN_RING
    + """
import time
def slow_batches(contents):
    samples, labels = next(contents.batches)
    yield samples[:50_000], labels[:50_000]
    print("half", flush=True)
    time.sleep(60)
from dataclasses import replace
from zoo.data.sources.points import PointSource
whole = PointSource.contents
PointSource.contents = lambda self, rows: replace(whole(self, rows), batches=slow_batches(whole(self, rows)))
open_dataset("ring8", catalogue, data_dir=Path(sys.argv[1]))
"""
)
TWO = (
    OPEN_RING
    + """
import time
from zoo.data.sources.points import PointSource
whole = PointSource.contents
def contents(self, rows):
    print("drew", flush=True)
    time.sleep(1)
    return whole(self, rows)
PointSource.contents = contents
print(open_dataset("ring8", catalogue, data_dir=Path(sys.argv[1])).fingerprint)
"""
)


@pytest.fixture
def ring(tmp_path):
    """The prepared folder of ring8."""
    open_dataset("ring8", RING, data_dir=tmp_path)
    return next((tmp_path / "zoo").glob("ring8-*"))


def contents(batches, count=4):
    return Contents((count, 2), np.float32, iter(batches))


def test_samples_are_read_by_memory_map_and_only_the_first_time_prepares(tmp_path, monkeypatch):
    first = open_dataset("ring8", RING, data_dir=tmp_path)
    monkeypatch.setattr(writer, "write", lambda *_: pytest.fail("prepared twice"))
    second = open_dataset("ring8", RING, data_dir=tmp_path)
    assert isinstance(second.samples, np.memmap)
    assert np.array_equal(first.samples, second.samples)
    assert second.fingerprint == first.fingerprint


def test_a_batch_is_the_samples_at_the_indices_in_memory(tmp_path):
    dataset = open_dataset("ring8", RING, data_dir=tmp_path)
    indices = np.array([5, 0, 5])
    batch = dataset.batch(indices)
    assert type(batch) is np.ndarray
    assert np.array_equal(batch, np.array(dataset.samples)[[5, 0, 5]])


def test_the_fingerprint_changes_with_samples_and_with_labels(tmp_path):
    points, labels = np.ones((4, 2), np.float32), np.arange(4)
    fingerprints = set()
    for name, batch in enumerate([(points, labels), (points * 2, labels), (points, labels[::-1]), (points, None)]):
        writer.write(tmp_path / str(name), HEAD, contents([batch]))
        fingerprints.add(cache.read(tmp_path / str(name), "points").fingerprint)
    assert len(fingerprints) == 4


def test_the_fingerprint_does_not_depend_on_the_batches(tmp_path):
    points, labels = np.arange(8, dtype=np.float32).reshape(4, 2), np.arange(4)
    writer.write(tmp_path / "whole", HEAD, contents([(points, labels)]))
    writer.write(tmp_path / "parts", HEAD, contents([(points[:3], labels[:3]), (points[3:], labels[3:])]))
    whole, parts = (cache.read(tmp_path / name, "points") for name in ("whole", "parts"))
    assert whole.fingerprint == parts.fingerprint
    assert np.array_equal(whole.samples, parts.samples)


def test_secret_labels_count_as_no_labels(tmp_path):
    writer.write(tmp_path / "secret", HEAD, contents([(np.ones((4, 2)), np.full(4, -1))]))
    dataset = cache.read(tmp_path / "secret", "points")
    assert dataset.labels is None
    assert dataset.classes is None


def test_progress_counts_up_to_all_samples(tmp_path):
    seen = []
    halves = [(np.ones((2, 2)), None), (np.ones((2, 2)), None)]
    writer.write(tmp_path / "points", HEAD, contents(halves), progress=lambda *done: seen.append(done))
    assert seen == [(2, 4), (4, 4)]


@pytest.mark.parametrize("given", [3, 5])
def test_a_source_that_gives_another_number_of_samples_leaves_nothing(tmp_path, given):
    with pytest.raises(ZooError, match=f"announced 4 samples and gave {given}"):
        writer.write(tmp_path / "points", HEAD, contents([(np.ones((given, 2)), None)]))
    assert not list(tmp_path.iterdir())


def test_samples_of_another_shape_are_refused(tmp_path):
    with pytest.raises(ZooError, match=r"from 2 on have shape \(3,\), not \(2,\)"):
        writer.write(tmp_path / "points", HEAD, contents([(np.ones((2, 2)), None), (np.ones((2, 3)), None)]))


@pytest.mark.parametrize("file", ["samples.npy", "labels.npy", "meta.json"])
def test_a_truncated_file_is_refused_with_the_way_to_rebuild(tmp_path, ring, file):
    path = ring / file
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ZooError, match=r"ring8-train.* is damaged .*Delete that folder"):
        open_dataset("ring8", RING, data_dir=tmp_path)
    shutil.rmtree(ring)
    assert open_dataset("ring8", RING, data_dir=tmp_path).count == 100_000


def test_a_missing_file_and_another_format_are_refused(tmp_path, ring):
    meta = json.loads((ring / "meta.json").read_text())
    (ring / "meta.json").write_text(json.dumps({**meta, "format": 99}))
    with pytest.raises(ZooError, match=r"is damaged \(format 99, this version reads 2"):
        open_dataset("ring8", RING, data_dir=tmp_path)
    (ring / "meta.json").unlink()
    with pytest.raises(ZooError, match="is damaged"):
        open_dataset("ring8", RING, data_dir=tmp_path)


def test_a_killed_preparation_leaves_nothing_that_counts_as_prepared(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    with process:
        assert process.stdout.readline() == "half\n"
        process.send_signal(signal.SIGKILL)
    assert list((tmp_path / "zoo").glob(".ring8-*.partial"))
    assert prepared_sets(tmp_path) == []
    assert open_dataset("ring8", RING, data_dir=tmp_path).count == 100_000
    assert not list((tmp_path / "zoo").glob(".ring8-*.partial"))


def test_two_processes_at_once_prepare_once(tmp_path):
    command = [sys.executable, "-c", TWO, str(tmp_path)]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    lines = [line for process in processes for line in process.communicate()[0].splitlines()]
    assert [process.returncode for process in processes] == [0, 0]
    assert lines.count("drew") == 1
    assert len(set(lines) - {"drew"}) == 1


def test_a_full_disk_is_refused_before_writing(tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(directory.shutil, "disk_usage", lambda _: usage(10**9, 10**9, 10**6))
    with pytest.raises(ZooError, match=r"where 1 MB are free.*--data-dir"):
        open_dataset("ring8", RING, data_dir=tmp_path)
    assert prepared_sets(tmp_path) == []


def test_a_disk_that_fills_up_while_writing_leaves_nothing(tmp_path, monkeypatch):
    def full(_):
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(writer, "_sync", full)
    with pytest.raises(ZooError, match=r"No space left on device.*--data-dir"):
        open_dataset("ring8", RING, data_dir=tmp_path)
    assert not list((tmp_path / "zoo").glob("*ring8-*"))


def test_a_folder_that_cannot_be_written_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ZooError, match=r"Cannot prepare data in .*file"):
        open_dataset("ring8", RING, data_dir=tmp_path / "file")


def test_prepared_data_opens_from_a_read_only_folder(tmp_path, ring, monkeypatch):
    monkeypatch.setattr(cache, "FileLock", lambda *_: pytest.fail("took a lock"))
    assert open_dataset("ring8", RING, data_dir=tmp_path).count == 100_000


def test_prepared_sets_are_listed_with_their_size(tmp_path, ring):
    (listed,) = prepared_sets(tmp_path)
    assert listed.meta["name"] == "ring8"
    assert listed.summary == "train, 100,000 x 2, of points ring8"
    assert listed.bytes == sum(file.stat().st_size for file in ring.iterdir())


def test_a_damaged_folder_is_listed_as_such(tmp_path, ring):
    (ring / "meta.json").write_text("{")
    assert prepared_sets(tmp_path) == []
    assert directory.unreadable_folders(tmp_path) == [ring]


def test_the_data_directory_is_the_given_one_or_the_environment_s_or_that_of_tfds(tmp_path, monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "environment"))
    assert data_directory(tmp_path / "given") == tmp_path / "given"
    assert data_directory() == tmp_path / "environment"
    monkeypatch.delenv("TFDS_DATA_DIR")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert data_directory() == tmp_path / "tensorflow_datasets"


def test_listing_prepared_data_imports_neither_numpy_nor_tensorflow(tmp_path):
    code = "import sys, zoo.data; zoo.data.prepared_sets(); print({'numpy', 'tensorflow'} & set(sys.modules))"
    environment = {**os.environ, "TFDS_DATA_DIR": str(tmp_path)}
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    assert output.stdout == "set()\n"
