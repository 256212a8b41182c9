import functools
import http.server
import socket
import threading

import pytest
from bare import BARE, with_datasets

from zoo import ZooError
from zoo.catalogue import DatasetEntry
from zoo.data import DataOptions, expected_shape, open_dataset, prepared_sets
from zoo.data.tfds import preflight

CELEBA = with_datasets(
    {"celeba": DatasetEntry("celeba", "tfds", reference="celeb_a", image_key="image", crop=140, image_size=64)}
)


def as_set(images):
    return sorted(image.tobytes() for image in images)


def test_the_stock_builder_is_prepared_from_the_manual_folder_without_a_network(tmp_path, small_fashion, no_network):
    small_fashion.put_into(tmp_path)
    train, test = (
        open_dataset("fashion_mnist", BARE, data_dir=tmp_path, options=DataOptions(split=split))
        for split in ("train", "test")
    )
    # TFDS shuffles when it writes.
    assert as_set(train.samples) == as_set(small_fashion.images["train"])
    assert as_set(test.samples) == as_set(small_fashion.images["t10k"])
    assert train.classes == 10
    originals = [image.tobytes() for image in small_fashion.images["train"]]
    assert train.labels.tolist() == [originals.index(image.tobytes()) % 10 for image in train.samples]


def test_the_order_of_rows_is_the_same_in_two_preparations(tmp_path, small_fashion, no_network):
    fingerprints = set()
    for place in "ab":
        small_fashion.put_into(tmp_path / place)
        fingerprints.add(open_dataset("fashion_mnist", BARE, data_dir=tmp_path / place).fingerprint)
    assert len(fingerprints) == 1


def test_without_a_network_the_missing_files_the_folder_and_the_command_are_named(tmp_path, small_fashion, no_network):
    with pytest.raises(ZooError) as error:
        open_dataset("fashion_mnist", BARE, data_dir=tmp_path)
    message = str(error.value)
    for name, content in small_fashion.files.items():
        assert f"{name} ({len(content):,} bytes, sha256 " in message
    assert str(tmp_path / "downloads" / "manual") in message
    assert f"zoo data prepare fashion_mnist --data-dir {tmp_path}" in message
    assert "fashion.invalid" in message


def test_only_files_that_are_missing_are_named(tmp_path, small_fashion, no_network):
    small_fashion.put_into(tmp_path, leave_out="t10k-labels-idx1-ubyte.gz")
    with pytest.raises(ZooError) as error:
        open_dataset("fashion_mnist", BARE, data_dir=tmp_path)
    assert "t10k-labels-idx1-ubyte.gz" in str(error.value)
    assert "train-images" not in str(error.value)


class Clock:
    """A clock that only sleeping moves, so that a wait is measured on a machine of any speed."""

    def __init__(self):
        self.now = 0.0

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


def test_a_network_that_never_answers_is_waited_for_less_than_three_seconds(tmp_path, small_fashion, monkeypatch):
    ended = threading.Event()

    def silent(*_, **__):
        ended.wait()
        raise TimeoutError  # the real function raises it, in a thread that outlives the wait

    clock = Clock()
    monkeypatch.setattr(socket, "create_connection", silent)
    monkeypatch.setattr(preflight, "time", clock)
    with pytest.raises(ZooError, match="there is no connection to"):
        open_dataset("fashion_mnist", BARE, data_dir=tmp_path)
    ended.set()
    assert 1 < clock.now < 3


def test_a_host_that_accepts_connections_and_then_fails_is_tried_three_times_for_each_file(tmp_path, small_fashion):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        accepted = []
        threading.Thread(target=hang_up, args=(server, accepted), daemon=True).start()
        small_fashion.serve_from(f"http://127.0.0.1:{port}/")
        with pytest.raises(ZooError, match=r"(?s)fashion_mnist cannot be downloaded: .* bytes, sha256 "):
            open_dataset("fashion_mnist", BARE, data_dir=tmp_path)
    assert 1 < len(accepted) <= 1 + 3 * len(small_fashion.files)  # TFDS' own 11 attempts take minutes


def hang_up(server, accepted):
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        accepted.append(connection)
        connection.close()


def test_a_host_that_answers_is_downloaded_from(tmp_path, small_fashion):
    served = small_fashion.put_into(tmp_path / "server")
    handler = functools.partial(QuietHandler, directory=served)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        small_fashion.serve_from(f"http://127.0.0.1:{server.server_port}/")
        dataset = open_dataset("fashion_mnist", BARE, data_dir=tmp_path / "data")
        server.shutdown()
    assert as_set(dataset.samples) == as_set(small_fashion.images["train"])


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def test_a_manual_file_of_another_size_is_named_with_what_is_expected(tmp_path, small_fashion, no_network):
    manual = small_fashion.put_into(tmp_path)
    (manual / "train-images-idx3-ubyte.gz").write_bytes(b"a page about quotas")
    with pytest.raises(ZooError) as error:
        open_dataset("fashion_mnist", BARE, data_dir=tmp_path)
    expected = f"{len(small_fashion.files['train-images-idx3-ubyte.gz']):,} bytes, sha256 "
    assert "train-images-idx3-ubyte.gz holds 19 bytes" in str(error.value)
    assert expected in str(error.value)


def test_a_manual_file_with_another_checksum_is_named_with_what_is_expected(tmp_path, small_fashion, no_network):
    manual = small_fashion.put_into(tmp_path)
    original = small_fashion.files["train-labels-idx1-ubyte.gz"]
    (manual / "train-labels-idx1-ubyte.gz").write_bytes(bytes(len(original)))
    with pytest.raises(ZooError) as error:
        open_dataset("fashion_mnist", BARE, data_dir=tmp_path)
    message = str(error.value)
    assert f"train-labels-idx1-ubyte.gz ({len(original):,} bytes, sha256 " in message
    assert "train-images" not in message
    assert str(manual) in message
    assert "zoo data prepare fashion_mnist" in message
    assert prepared_sets(tmp_path) == []


def test_a_proxy_is_probed_in_place_of_the_host(monkeypatch):
    connected = []
    monkeypatch.setattr(
        socket, "create_connection", lambda address, timeout: connected.append(address) or socket.socket()
    )
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    monkeypatch.setenv("no_proxy", "")
    assert preflight.any_host_responds(["https://data.example/file"])
    assert connected == [("proxy.example", 3128)]


def test_the_shape_of_a_dataset_is_known_before_anything_is_downloaded(tmp_path, no_network):
    assert expected_shape("celeba", CELEBA, data_dir=tmp_path) == ((64, 64, 3), None)
    assert expected_shape("mnist", BARE, data_dir=tmp_path) == ((28, 28, 1), 10)
    assert expected_shape("celeba", CELEBA, data_dir=tmp_path, options=DataOptions(image_size=128)) == (
        (128, 128, 3),
        None,
    )
    assert not prepared_sets(tmp_path)
