import hashlib
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from progress_recorder import ProgressRecorder

from zoo.base import weights
from zoo.base.weights import Published, at_hand, cache_folder, verified_file
from zoo.errors import ZooError

CONTENT = bytes(range(256)) * 9000  # more than one chunk
NAMES = ("first.pth", "second.pth")


@pytest.fixture
def told() -> ProgressRecorder:
    return ProgressRecorder()


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """An empty cache of our own and of torch."""
    monkeypatch.setenv("GAN_ZOO_CACHE", str(tmp_path / "own"))
    monkeypatch.setattr(weights, "TORCH_HUB", tmp_path / "torch")
    return tmp_path / "own", tmp_path / "torch"


@pytest.fixture
def served() -> Iterator[dict[str, bytes]]:
    """What a server on this machine has at which path; its address is under the path "address"."""
    files: dict[str, bytes] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path not in files:
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(max(len(files[self.path]), 100 if "short" in self.path else 0)))
            self.end_headers()
            self.wfile.write(files[self.path])

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        files["address"] = f"http://127.0.0.1:{server.server_port}".encode()
        yield files
        server.shutdown()
        thread.join()


@pytest.fixture
def published(served: dict[str, bytes]) -> Published:
    address = served["address"].decode()
    return Published(
        len(CONTENT), hashlib.sha256(CONTENT).hexdigest(), tuple(f"{address}/release/{name}" for name in NAMES)
    )


def put(folder: Path, name: str, content: bytes = CONTENT) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)
    return folder / name


def test_the_first_address_that_has_it_is_taken_and_kept(
    served: dict[str, bytes], published: Published, told: ProgressRecorder
) -> None:
    served["/release/second.pth"] = CONTENT
    path = verified_file(published, None, told)
    assert path == cache_folder() / "first.pth"
    assert path.read_bytes() == CONTENT
    served.clear()
    assert verified_file(published, None, told) == path


def test_a_download_tells_how_far_it_is(served: dict[str, bytes], published: Published, told: ProgressRecorder) -> None:
    served["/release/first.pth"] = CONTENT
    verified_file(published, None, told)
    assert [count for _, count, _ in told.counts] == sorted({count for _, count, _ in told.counts})
    assert told.counts[-1] == ("first.pth", len(CONTENT), len(CONTENT))
    assert "/release/first.pth (2 MiB)" in told.notes[0]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (CONTENT[:-1] + b"x", "sent a file whose sha256 is"),
        (CONTENT[:-1], r"sent 2,303,999 of 2,304,000 bytes"),
        (CONTENT + b"x", r"sent more than 2,304,000 bytes"),
    ],
)
def test_a_wrong_download_is_refused_and_not_kept(
    content: bytes, reason: str, served: dict[str, bytes], published: Published, told: ProgressRecorder
) -> None:
    served["/release/first.pth"] = content
    with pytest.raises(ZooError, match=reason):
        verified_file(published, None, told)
    assert list(cache_folder().iterdir()) == []
    served["/release/second.pth"] = CONTENT
    assert verified_file(published, None, told).read_bytes() == CONTENT


def test_a_connection_that_breaks_off_is_refused(served: dict[str, bytes], told: ProgressRecorder) -> None:
    served["/short.pth"] = b"x"
    with pytest.raises(ZooError, match="could not be downloaded"):
        verified_file(Published(100, "0" * 64, (f"{served['address'].decode()}/short.pth",)), None, told)
    assert list(cache_folder().iterdir()) == []


def test_without_a_network_the_error_says_all_that_is_needed_to_fetch_it_by_hand(told: ProgressRecorder) -> None:
    with socket.socket() as taken:  # bound and not listening: nobody answers there
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}/first.pth"
        with pytest.raises(ZooError) as caught:
            verified_file(Published(1234, "ab" * 32, (address,)), None, told)
    for needed in (
        "first.pth",
        "1,234 bytes",
        "ab" * 32,
        address,
        "refused",
        str(cache_folder()),
        "--weights PATH",
        "--extractor efficientnet-lite0",
    ):
        assert needed in str(caught.value)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("index", [0, 1])
def test_a_file_in_either_cache_is_found_under_either_name(
    index: int, name: str, folders: tuple[Path, Path], published: Published, told: ProgressRecorder
) -> None:
    assert not at_hand(published)
    path = put(folders[index], name)
    assert at_hand(published)
    assert verified_file(published, None, told) == path
    assert told.notes == []


@pytest.mark.parametrize("given", [True, False])
def test_damaged_weights_are_refused_with_both_checksums(
    given: bool, published: Published, told: ProgressRecorder
) -> None:
    damaged = b"x" + CONTENT[1:]
    path = put(cache_folder(), "first.pth", damaged)
    with pytest.raises(ZooError, match=r"first\.pth are damaged or other ones") as caught:
        verified_file(published, path if given else None, told)
    for checksum in (hashlib.sha256(damaged).hexdigest(), published.sha256):
        assert checksum in str(caught.value)


def test_a_whole_copy_is_preferred_to_a_torn_one(
    folders: tuple[Path, Path], published: Published, told: ProgressRecorder
) -> None:
    put(folders[0], "first.pth", b"torn")
    assert not at_hand(published)
    whole = put(folders[1], "second.pth")
    assert at_hand(published)
    assert verified_file(published, None, told) == whole


def test_a_missing_file_that_was_named_is_an_error(
    tmp_path: Path, published: Published, told: ProgressRecorder
) -> None:
    with pytest.raises(ZooError, match=r"Can't read the weights .*nowhere\.pth: No such file"):
        verified_file(published, tmp_path / "nowhere.pth", told)


def test_inceptions_weights_are_those_of_the_literature() -> None:
    assert weights.INCEPTION.size == 95_628_359
    for name in weights.INCEPTION.names:
        assert weights.INCEPTION.sha256.startswith(name.rpartition("-")[2].removesuffix(".pth"))
    assert not at_hand()


def test_looking_for_weights_imports_nothing_big() -> None:
    heavy = {"keras", "tensorflow", "jax", "torch"}
    code = f"import sys, {weights.__name__} as module; module.at_hand(); print(sorted(set(sys.modules) & {heavy}))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"
