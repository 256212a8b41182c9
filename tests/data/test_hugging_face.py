import hashlib
import http.server
import importlib.util
import io
import json
import os
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import numpy as np
import pyarrow
import pytest
from bare import BARE
from encoded import png
from pyarrow import parquet

from zoo import ZooError
from zoo.data import open_dataset, prepared_sets
from zoo.data.prepared.transfer import export, import_sets

NAME = "owner/Small-Set"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
SIZE = 6  # pixels
LABELS = {"train": [1, 0, 2, 1], "test": [2, 0]}
FAST = 5  # seconds, of which the hub is waited for less than two
CARD = f"""---
license: cc0-1.0
dataset_info:
  features:
  - {{name: picture, dtype: image}}
  - name: kind
    dtype: {{class_label: {{names: {{'0': cat, '1': dog, '2': owl}}}}}}
  - {{name: box, list: int64}}
  - {{name: taken, dtype: date32}}
  splits:
  - {{name: train, num_bytes: 1000, num_examples: {len(LABELS["train"])}}}
  - {{name: test, num_bytes: 1000, num_examples: {len(LABELS["test"])}}}
configs:
- config_name: default
  data_files:
  - {{split: train, path: data/train-*}}
  - {{split: test, path: data/test-*}}
---
"""
# Runs before the code of every process, in which huggingface_hub is imported anew.
BEFORE = """
import json, socket, sys, time
from pathlib import Path

look_up = socket.getaddrinfo


def looked_up(host, *rest, **options):
    if host != "127.0.0.1":
        raise socket.gaierror(f"no network for {host}")
    return look_up(host, *rest, **options)


socket.getaddrinfo = looked_up

from zoo import ZooError
from zoo.catalogue import read_catalogue
from zoo.data import DataOptions, open_dataset


def opened(name, **options):
    options = DataOptions(**{"image_size": 6, **options})
    dataset = open_dataset(name, read_catalogue(), data_dir=Path("data"), options=options)
    return {
        "samples": dataset.samples.tolist(),
        "labels": dataset.labels.tolist(),
        "class_names": list(dataset.class_names),
        "fingerprint": dataset.fingerprint,
    }


def mistake(name):
    start = time.monotonic()
    try:
        opened(name)
    except ZooError as error:
        return {"text": str(error), "seconds": time.monotonic() - start}
"""


def originals(split: str) -> list[np.ndarray]:
    """RGB and gray; in training also black that is half transparent over nothing, and 16-bit gray."""
    draw = np.random.default_rng(len(split))
    plain = [draw.integers(0, 256, (SIZE, SIZE, *channels), dtype=np.uint8) for channels in [(3,), ()]]
    if split == "test":
        return plain
    half = np.zeros((SIZE, SIZE, 4), np.uint8)
    half[:3, :, 3] = 255
    return [*plain, half, draw.integers(0, 256, (SIZE, SIZE)).astype(np.uint16) * 257]


def as_stored(split: str) -> list[list]:
    """What the zoo should make of them: RGB, transparency over white, and 16 bits scaled to 8."""
    colour, gray, *others = originals(split)
    shown = [colour, np.stack([gray] * 3, axis=-1)]
    if others:
        half = np.zeros((SIZE, SIZE, 3), np.uint8)
        half[3:] = 255
        shown += [half, np.stack([others[1] // 257] * 3, axis=-1)]
    return [image.tolist() for image in shown]


def table(split: str) -> bytes:
    """The split in parquet, as the hub's own library writes it; with dates, which TFDS cannot convert."""
    images = [{"bytes": png(image), "path": f"{number}.png"} for number, image in enumerate(originals(split))]
    columns = {
        "picture": pyarrow.array(images, pyarrow.struct({"bytes": pyarrow.binary(), "path": pyarrow.string()})),
        "kind": pyarrow.array(LABELS[split], pyarrow.int64()),
        "box": pyarrow.array([[0, 0, 5, 5]] * len(images), pyarrow.list_(pyarrow.int64())),
        "taken": pyarrow.array([0] * len(images), pyarrow.date32()),
    }
    buffer = io.BytesIO()
    parquet.write_table(pyarrow.table(columns), buffer)
    return buffer.getvalue()


class Hub(http.server.ThreadingHTTPServer):
    """The part of the hub's interface that a public dataset needs."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answer)
        tables = {f"data/{split}-00000-of-00001.parquet": table(split) for split in LABELS}
        self.files = {"README.md": CARD.encode(), **tables}
        self.address = f"http://127.0.0.1:{self.server_port}"

    def __enter__(self):
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()

    def answer(self, path: str) -> tuple[int, bytes, dict[str, str]]:
        """Status, contents and headers for the path of an address."""
        about, resolve = f"/api/datasets/{NAME}", f"/datasets/{NAME}/resolve/"
        if path in (about, f"{about}/revision/main", f"{about}/revision/{COMMIT}"):
            return self.json({"id": NAME, "sha": COMMIT, "private": False, "gated": False, "tags": [], "siblings": []})
        if path.startswith(f"{about}/tree/{COMMIT}"):
            return self.json(self.tree(path.removeprefix(f"{about}/tree/{COMMIT}").strip("/")))
        if path.startswith(resolve):
            content = self.files.get(path.removeprefix(resolve).partition("/")[2])
            if content is None:
                return 404, b"", {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": COMMIT}
            return 200, content, {"ETag": f'"{hashlib.sha1(content).hexdigest()}"', "X-Repo-Commit": COMMIT}
        return 404, b"", {"X-Error-Code": "RepoNotFound"}

    def tree(self, folder: str) -> list[dict]:
        """What is in a folder, not below it."""
        found = {"data": {"type": "directory", "path": "data", "oid": "0" * 40, "size": 0}} if not folder else {}
        for name, content in self.files.items():
            if name.rpartition("/")[0] == folder:
                oid = hashlib.sha1(content).hexdigest()
                found[name] = {"type": "file", "path": name, "oid": oid, "size": len(content)}
        return list(found.values())

    @staticmethod
    def json(content) -> tuple[int, bytes, dict[str, str]]:
        return 200, json.dumps(content).encode(), {"Content-Type": "application/json"}


class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        status, content, headers = self.server.answer(self.path.partition("?")[0])
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    do_HEAD = do_GET

    def log_message(self, *_):
        pass


def run(code: str, folder: Path, address: str) -> dict:
    """What a fresh process prints as JSON; the hub is at `address`, and nothing else can be reached."""
    ours = {
        "HF_ENDPOINT": address,
        "HF_HOME": str(folder / "home"),
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_UPDATE_DOWNLOAD_COUNTS": "0",
        "KERAS_BACKEND": "tensorflow",
    }
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith("HF_") and "proxy" not in name.lower()
    }
    done = subprocess.run(
        [sys.executable, "-c", BEFORE + textwrap.dedent(code)],
        cwd=folder,
        env=kept | ours,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return {**json.loads(done.stdout.splitlines()[-1]), "stderr": done.stderr}


@pytest.fixture(scope="module")
def hub_and_folder(tmp_path_factory):
    """The output and files of a process that had a hub, which is gone now."""
    folder = tmp_path_factory.mktemp("hugging_face")
    with Hub() as hub:
        said = run(
            f"""
            said = {{split: opened("huggingface:{NAME}", split=split) for split in ("train", "test")}}
            said["config"] = opened("huggingface:{NAME}:default", channels=1)
            said["missing"] = mistake("huggingface:owner/missing")
            said["missing config"] = mistake("huggingface:{NAME}:large")
            print(json.dumps(said))
            """,
            folder,
            hub.address,
        )
    return said, folder, hub.address


@pytest.fixture(scope="module")
def offline(hub_and_folder):
    """The output of a process without a hub."""
    _, folder, address = hub_and_folder
    return run(
        f"""
        said = {{split: opened("huggingface:{NAME}", split=split) for split in ("train", "test")}}
        said["modules"] = list(sys.modules)
        said["small"] = opened("huggingface:{NAME}", image_size=3)
        said["same folder"] = mistake("huggingface:owner/small_set")
        said["other"] = mistake("huggingface:owner/other")
        print(json.dumps(said))
        """,
        folder,
        address,
    )


@pytest.mark.parametrize("split", ["train", "test"])
def test_a_data_set_of_the_hub_has_its_pixels_labels_and_class_names(hub_and_folder, split):
    found = hub_and_folder[0][split]
    assert found["samples"] == as_stored(split)
    assert found["labels"] == LABELS[split]
    assert found["class_names"] == ["cat", "dog", "owl"]


def test_a_config_is_named_behind_a_colon(hub_and_folder):
    found = hub_and_folder[0]["config"]
    assert found["labels"] == LABELS["train"]
    gray = originals("train")[1]
    assert np.array_equal(np.array(found["samples"][1])[..., 0], gray)


def test_neither_the_environment_nor_bars_are_printed_where_there_is_no_terminal(hub_and_folder):
    stderr = hub_and_folder[0]["stderr"]
    assert "HF_HOME" not in stderr  # AutoGraph's warning lists all variables
    assert "examples" not in stderr


def test_what_is_prepared_needs_neither_the_hub_nor_tfds(hub_and_folder, offline):
    for split in ("train", "test"):
        assert offline[split] == hub_and_folder[0][split]
    assert not {"tensorflow", "tensorflow_datasets", "datasets", "huggingface_hub"} & set(offline["modules"])


def test_another_size_is_made_of_what_tfds_has_stored_without_the_hub(offline):
    assert np.shape(offline["small"]["samples"]) == (4, 3, 3, 3)
    assert offline["small"]["labels"] == LABELS["train"]


def test_a_name_that_the_hub_does_not_have_is_one_sentence(hub_and_folder):
    assert hub_and_folder[0]["missing"]["text"] == (
        "'huggingface:owner/missing' cannot be opened: "
        "Dataset 'owner/missing' doesn't exist on the Hub or cannot be accessed."
    )


def test_an_unknown_config_is_answered_by_those_that_there_are(hub_and_folder):
    text = hub_and_folder[0]["missing config"]["text"]
    assert "Available: ['default']" in text
    assert f"huggingface:{NAME}:CONFIG" in text


def test_without_the_hub_the_way_by_another_machine_is_reported_at_once(offline):
    assert offline["other"]["text"] == (
        "'huggingface:owner/other' is not prepared, and there is no connection to 127.0.0.1. "
        "Bring it from a machine on which it is prepared: "
        "zoo data export huggingface:owner/other there, zoo data import here."
    )
    assert offline["other"]["seconds"] < FAST


def test_two_names_that_tfds_cannot_distinguish_are_not_mixed_up(offline):
    assert (
        f"holds the data set '{NAME}', whose name TFDS cannot tell from 'owner/small_set'"
        in (offline["same folder"]["text"])
    )


def test_a_data_set_of_the_hub_is_carried_to_another_machine(hub_and_folder, tmp_path):
    said, folder, _ = hub_and_folder
    sets = [each for each in prepared_sets(folder / "data") if each.meta["name"].endswith(":default")]
    export(sets, tmp_path / "small.zoo", lambda *_: None)
    import_sets(tmp_path / "small.zoo", None, tmp_path / "data", lambda *_: None)
    [brought] = prepared_sets(tmp_path / "data")
    assert brought.meta["reference"] == f"huggingface:{NAME}:default"
    assert brought.meta["fingerprint"] == said["config"]["fingerprint"]


def test_without_the_package_the_extra_is_named(tmp_path, monkeypatch):
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "datasets" else find_spec(name, *rest)
    )
    with pytest.raises(ZooError, match=r"needs the package datasets: pip install 'gan-zoo\[huggingface\]'"):
        open_dataset(f"huggingface:{NAME}", BARE, data_dir=tmp_path)


@pytest.mark.parametrize("name", ["huggingface:", "huggingface:a/b/c", "huggingface:./a", "huggingface:a/b:"])
def test_what_cannot_be_a_name_of_the_hub_is_refused_without_a_request(tmp_path, name):
    with pytest.raises(ZooError, match="Expected huggingface:owner/name, or huggingface:owner/name:config"):
        open_dataset(name, BARE, data_dir=tmp_path)
