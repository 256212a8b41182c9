import hashlib
import http.server
import json
import shutil
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest
import yaml

import zoo
from zoo.runs.pretrained import pretrained_folder
from zoo.runs.pulling import address_of

SHIPPED = pretrained_folder("dcgan@fashion_mini")
CODE = '"""A plugin."""\nfrom pathlib import Path\n\nPath("executed").touch()\n'


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """A folder of a run with a plugin's file, as somebody else would give it."""
    folder = tmp_path / "foreign"
    shutil.copytree(SHIPPED, folder)
    (folder / "plugins").mkdir()
    (folder / "plugins" / "mine.py").write_text(CODE)
    record = yaml.safe_load((folder / "run.yaml").read_text())
    record["plugins"].append({"name": "mine", "sha256": hashlib.sha256(CODE.encode()).hexdigest()})
    (folder / "run.yaml").write_text(yaml.safe_dump(record))
    return folder


def test_what_is_pulled_runs_no_code_before_it_is_trusted(foreign: Path, zoo_command):
    (foreign / "notes.sh").write_text("echo")
    pulled = zoo_command("pull", foreign, "--out", "theirs")
    assert "is not run before you --trust it: theirs/plugins/mine.py (sha256 " in pulled.out
    assert pulled.out.endswith(f"Next, once you have read its code:\n  zoo pull {foreign} --out theirs --trust\n")
    assert not Path("theirs/notes.sh").exists()
    refused = zoo_command("sample", "theirs")
    assert refused.code == 2
    assert f"zoo pull {foreign} --out theirs --trust" in refused.err
    assert not Path("executed").exists()
    Path("theirs/plugins/mine.py").write_text(CODE + "# changed\n")
    zoo_command("pull", foreign, "--out", "theirs", "--trust")
    zoo_command("sample", "theirs")
    assert Path("executed").exists()


def test_code_that_changed_since_it_was_read_is_not_trusted(foreign: Path, zoo_command):
    zoo_command("pull", foreign, "--out", "theirs")
    (foreign / "plugins" / "mine.py").write_text(CODE + "# other\n")
    refused = zoo_command("pull", foreign, "--out", "theirs", "--trust")
    assert "mine.py is not the code that trained the run" in refused.err
    record = yaml.safe_load((foreign / "run.yaml").read_text())
    record["plugins"][-1]["sha256"] = hashlib.sha256((CODE + "# other\n").encode()).hexdigest()
    (foreign / "run.yaml").write_text(yaml.safe_dump(record))
    assert "is not what was pulled before" in zoo_command("pull", foreign, "--out", "theirs", "--trust").err


def test_a_pulled_run_imports_only_modules_of_plugins(foreign: Path, zoo_command):
    record = yaml.safe_load((foreign / "run.yaml").read_text())
    record["plugins"][-1] = {"name": "mine", "module": "this"}
    (foreign / "run.yaml").write_text(yaml.safe_dump(record))
    zoo_command("pull", foreign, "--out", "theirs", "--trust")
    assert "'this', which is no plugin" in zoo_command("sample", "theirs").err


@pytest.mark.parametrize("name", ["../mine", "a/b", "", "os.path"])
def test_a_plugin_is_never_sought_elsewhere(name: str, foreign: Path, zoo_command):
    record = yaml.safe_load((foreign / "run.yaml").read_text())
    record["plugins"][-1]["name"] = name
    (foreign / "run.yaml").write_text(yaml.safe_dump(record))
    assert "names a plugin" in zoo_command("pull", foreign, "--out", "theirs").err
    assert not Path("theirs").exists()


def test_a_zip_gives_the_files_of_a_run_alone(zoo_command):
    packed = SHIPPED
    with zipfile.ZipFile("run.zip", "w") as archive:
        for file in packed.rglob("*"):
            if file.is_file():
                archive.write(file, f"top/{file.relative_to(packed)}")
        archive.writestr("top/../../outside.txt", "x")
        archive.writestr("top/pulled.json", '{"trusted": {}}')
    folder = Path(json.loads(zoo_command("pull", "run.zip", "--json").out)["run"])
    found = {str(each.relative_to(folder)) for each in folder.rglob("*") if each.is_file()}
    assert found == {str(each.relative_to(packed)) for each in packed.rglob("*") if each.is_file()} | {"pulled.json"}
    assert json.loads((folder / "pulled.json").read_text())["from"].endswith("run.zip")
    own = folder.with_name("own")
    own.mkdir()
    (own / "mine.txt").touch()
    again = zoo_command("pull", "run.zip", "--out", own)
    assert "holds something that was not pulled" in again.err


class Archive(http.server.BaseHTTPRequestHandler):
    """A web server with one run, in a zip."""

    content = b""

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/run.zip" else 404)
        self.end_headers()
        self.wfile.write(self.content if self.path == "/run.zip" else b"")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """https://example.org, served on loopback without its certificate."""
    monkeypatch.setattr(
        Archive, "content", Path(shutil.make_archive(str(tmp_path / "run"), "zip", SHIPPED)).read_bytes()
    )
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Archive) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        real = urllib.request.urlopen

        def local(address: str, timeout: float) -> object:
            return real(
                address.replace("https://example.org", f"http://127.0.0.1:{server.server_port}"), timeout=timeout
            )

        monkeypatch.setattr(urllib.request, "urlopen", local)
        yield
        server.shutdown()


@pytest.mark.usefixtures("web")
def test_a_run_is_pulled_from_the_web_or_the_answer_is_told(zoo_command):
    assert zoo_command("pull", "https://example.org/run.zip", "--out", "theirs").code == 0
    assert (Path("theirs") / "run.yaml").read_bytes() == (SHIPPED / "run.yaml").read_bytes()
    assert json.loads(Path("theirs/pulled.json").read_text())["from"] == "https://example.org/run.zip"
    missing = zoo_command("pull", "https://example.org/other.zip", "--out", "others")
    assert (missing.code, "https://example.org/other.zip can't be read: HTTP 404." in missing.err) == (2, True)
    assert not Path("others").exists()
    Path("run.zip").write_bytes(Archive.content)
    assert "zoo pull run.zip makes a run's folder of it" in zoo_command("sample", "run.zip").err


def test_addresses_are_told_from_paths():
    assert str(address_of(str(Path("hf://owner/name")))) == "hf://owner/name"  # as a path it has one slash
    assert address_of("hf://owner/name@v1").repository == ("owner/name", "v1")
    assert address_of("runs/dcgan") is None
    for wrong in ("hf://owner", "hf://../name/x", "http://example.org/run.zip"):
        with pytest.raises(zoo.ZooError):
            address_of(wrong)
