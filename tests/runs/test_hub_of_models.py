"""Pushing to and pulling from a hub that speaks as much of the Hugging Face hub's protocol as its library needs."""

import base64
import hashlib
import http.server
import json
import re
import runpy
import threading
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import yaml

import zoo

pytestmark = pytest.mark.leaky

TOKEN = "hf_aSecretThatMustNotBePrinted"
REPOSITORY = "owner/tiny"


class Hub(http.server.ThreadingHTTPServer):
    """Repositories in memory: their files by name, and a revision for each commit."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.address = f"http://127.0.0.1:{self.server_port}"
        self.repositories: dict[str, dict[str, bytes]] = {}
        self.kinds: list[tuple[str | None, str | None]] = []  # type and SDK of what was made

    def revision(self, name: str) -> str:
        """A hash of the files."""
        return hashlib.sha1(repr(sorted(self.repositories[name].items())).encode()).hexdigest()

    def commit(self, name: str, lines: list[dict]) -> None:
        """Applies the operations of a commit."""
        files = self.repositories[name]
        for line in lines:
            value = line["value"]
            if line["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "deletedFile":
                del files[value["path"]]


class Answer(http.server.BaseHTTPRequestHandler):
    server: Hub

    def log_message(self, *_: object) -> None:
        pass

    def reply(self, content: object, status: int = 200, headers: dict[str, str] | None = None) -> None:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path = urllib.parse.urlsplit(self.path).path
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self.reply({"error": "Invalid credentials"}, 401)
        elif path == "/api/repos/create":
            given = json.loads(body)
            self.server.kinds.append((given.get("type"), given.get("sdk")))
            name = f"{given.get('organization') or 'owner'}/{given['name']}"
            self.server.repositories.setdefault(name, {})
            self.reply({"url": f"{self.server.address}/{name}"})
        elif path == "/api/validate-yaml":
            self.reply({})
        elif path.endswith("/preupload/main"):
            files = json.loads(body)["files"]
            self.reply(
                {"files": [{"path": each["path"], "uploadMode": "regular", "shouldIgnore": False} for each in files]}
            )
        elif path.endswith("/commit/main"):
            self.server.commit(REPOSITORY, [json.loads(line) for line in body.splitlines()])
            revision = self.server.revision(REPOSITORY)
            self.reply({"commitOid": revision, "commitUrl": f"{self.server.address}/{REPOSITORY}/commit/{revision}"})
        else:
            self.reply({"error": path}, 404)

    def do_GET(self) -> None:
        path = urllib.parse.unquote(urllib.parse.urlsplit(self.path).path)
        files = self.server.repositories.get(REPOSITORY)
        if files is None or REPOSITORY not in path:
            self.reply({"error": "Repository not found"}, 404, {"X-Error-Code": "RepoNotFound"})
            return
        revision = self.server.revision(REPOSITORY)
        if found := re.search(r"/resolve/\w+/(.*)", path):
            content = files[found[1]]
            etag = hashlib.sha256(content).hexdigest()
            self.reply(content, headers={"X-Repo-Commit": revision, "ETag": f'"{etag}"'})
        elif "/tree/" in path:
            self.reply([{"type": "file", "path": each, "size": len(files[each]), "oid": "0" * 40} for each in files])
        else:
            names = [{"rfilename": each} for each in files]
            self.reply({"id": REPOSITORY, "sha": revision, "siblings": names, "private": False, "tags": []})

    do_HEAD = do_GET


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """An empty hub, to which the environment points."""
    server = Hub()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setenv("HF_ENDPOINT", server.address)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def test_what_is_pushed_is_pulled_and_makes_the_same(finished: zoo.Run, hub: Hub, train, zoo_command, tmp_path: Path):
    files = hub.repositories
    pushed = zoo_command("push", finished.path, f"hf://{REPOSITORY}", "--license", "mit")
    assert pushed.code == 0, pushed.err
    assert pushed.out == f"hf://{REPOSITORY}, revision {hub.revision(REPOSITORY)}\n"
    assert {"run.yaml", "README.md", "samples.png", "packed.json"} <= set(files[REPOSITORY])
    assert f"    zoo sample hf://{REPOSITORY}\n" in files[REPOSITORY]["README.md"].decode()
    metadata = yaml.safe_load(files[REPOSITORY]["README.md"].decode().split("---\n")[1])
    assert (metadata["library_name"], metadata["license"]) == ("gan-zoo", "mit")

    # A second push leaves nothing of the first; files of others are not taken.
    files[REPOSITORY] |= {"checkpoints/step-00000001.npz": b"old", "setup.py": b"raise SystemExit"}
    again = zoo_command("push", finished.path, f"hf://{REPOSITORY}", "--json")
    assert "checkpoints/step-00000001.npz" not in files[REPOSITORY]
    assert json.loads(again.out)["revision"] == hub.revision(REPOSITORY)

    drawn = zoo_command("sample", f"hf://{REPOSITORY}", "--count", 5, "--out", "drawn.npy")
    assert drawn.code == 0, drawn.err
    np.testing.assert_array_equal(np.load("drawn.npy"), finished.sample(5))
    assert not Path("runs/pulled/owner/tiny/setup.py").exists()
    assert json.loads(Path("runs/pulled/owner/tiny/pulled.json").read_text())["revision"] == hub.revision(REPOSITORY)

    begun = train(tmp_path / "begun", steps=1, origin=f"hf://{REPOSITORY}")
    assert not begun.record["origin"]["copied"]["discriminator"].startswith("0 ")
    for result in (pushed, again, drawn):
        assert TOKEN not in result.out + result.err


def test_a_refusal_says_why_and_never_shows_the_token(finished: zoo.Run, hub: Hub, zoo_command, monkeypatch):
    missing = zoo_command("pull", "hf://owner/other")
    assert missing.code == 2
    assert missing.err.startswith("Error: The hub refuses hf://owner/other: there is no such model or revision")
    monkeypatch.setenv("HF_TOKEN", f"{TOKEN}Wrong")
    refused = zoo_command("push", finished.path, f"hf://{REPOSITORY}")
    assert refused.err == (
        f"Error: The hub refuses hf://{REPOSITORY}: you are not known to it: log in with `hf auth login`, or set "
        "HF_TOKEN.\n"
    )
    for result in (missing, refused):
        assert TOKEN not in result.out + result.err


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Gradio's
def test_a_space_is_the_page_of_zoo_explore(finished: zoo.Run, hub: Hub, zoo_command, tmp_path: Path, monkeypatch):
    gradio = pytest.importorskip("gradio")
    words = ("push", finished.path, f"hf://{REPOSITORY}", "--space", "--license", "mit")
    pushed = zoo_command(*words)
    assert pushed.code == 0, pushed.err
    assert hub.kinds == [("space", "gradio")]
    files = hub.repositories[REPOSITORY]
    assert {"README.md", "app.py", "requirements.txt", "run/run.yaml", "run/packed.json"} <= set(files)
    head = yaml.safe_load(files["README.md"].decode().split("---\n")[1])
    assert (head["sdk"], head["app_file"], head["license"]) == ("gradio", "app.py", "mit")
    assert files["requirements.txt"].decode().startswith("gan-zoo[cpu,explore]")
    assert str(finished.path.parent.parent).encode() not in b"".join(
        content for name, content in files.items() if not name.endswith((".npz", ".png"))
    )
    files["run/old.py"] = b"left from before"
    assert zoo_command(*words, "--requirement", "gan-zoo @ https://example.org/gan.zip").code == 0
    assert files["requirements.txt"] == b"gan-zoo @ https://example.org/gan.zip\n"
    assert "run/old.py" not in files

    for name, content in files.items():
        path = tmp_path / "space" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    shown = []
    monkeypatch.setattr(gradio.Blocks, "launch", lambda page, **look: shown.append((page, look)))
    runpy.run_path(str(tmp_path / "space" / "app.py"))
    ((page, look),) = shown
    assert page.title == "Explore vanilla"
    assert "css" in look
