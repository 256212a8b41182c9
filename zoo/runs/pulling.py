"""Runs from elsewhere: from the Hugging Face hub (`hf://owner/name`), https addresses of zips, zips and folders.

What comes is not trusted. Only files with the names that a run has are taken, none is unpickled, and the code of
plugins is kept beside the run and not executed (see `zoo.runs.trust`).
"""

import hashlib
import os
import re
import shutil
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

from zoo.base.files import read_json, write_json
from zoo.base.names import readable
from zoo.errors import ZooError
from zoo.runs.directory import RECORD, RunDirectory
from zoo.runs.trust import PULLED, hash_of, listed

FILES = re.compile(
    r"run\.yaml|packed\.json|evaluation\.json|metrics\.jsonl|README\.md|LICENSE|samples\.png|"
    r"checkpoints/step-\d{1,15}\.npz|plugins/[A-Za-z_]\w*\.py"
)
PLUGIN = re.compile(r"[A-Za-z_]\w*")
LARGEST = 8 * 2**30  # bytes, of a file and of the arrays in it
BLOCK = 2**20  # bytes copied at once
ADDRESS = re.compile(r"(hf|https?):/+(.*)", re.DOTALL)  # a path makes one slash of two
HUB = re.compile(r"([\w.-]+/[\w.-]+)(?:@([\w./-]+))?")
OWN_MACHINE = ("127.0.0.1", "localhost")
FOLDER = Path("runs", "pulled")


@dataclass(frozen=True)
class Address:
    """Where a run is to be had from: `hf`, `https` (`http` on this machine), or `file` for a zip or a folder."""

    kind: str
    rest: str

    def __str__(self) -> str:
        return self.rest if self.kind == "file" else f"{self.kind}://{self.rest}"

    @property
    def repository(self) -> tuple[str, str | None]:
        """`owner/name` and a revision or None, on the hub; raises ZooError for anything else."""
        match = HUB.fullmatch(self.rest)
        if self.kind != "hf" or match is None:
            raise ZooError(f"'{self}' is no address on the hub. Expected hf://owner/name, or hf://owner/name@revision.")
        return match[1], match[2]

    @property
    def folder(self) -> Path:
        """Where a run of this address lies once it is pulled."""
        if self.kind == "hf":
            owner, name = self.rest.split("/", 1)
            return FOLDER / owner / name.replace("/", "_")  # of a revision, which may have a slash
        name = readable(Path(self.rest.partition("?")[0]).stem)
        return FOLDER / f"{name}-{hashlib.sha256(str(self).encode()).hexdigest()[:6]}"


def address_of(text: str) -> Address | None:
    """The address that a text is; None for a path."""
    match = ADDRESS.fullmatch(text)
    if match is None:
        return None
    address = Address(match[1], match[2])
    if address.kind == "hf":
        _ = address.repository  # which raises for a wrong one
    elif address.kind == "http" and urllib.parse.urlsplit(str(address)).hostname not in OWN_MACHINE:
        raise ZooError(f"{address} is not encrypted. Give an https address.")
    return address


def pulled_folder(address: Address) -> Path:
    """The folder of a run that was pulled; it is pulled where there is none yet."""
    return address.folder if (address.folder / RECORD).is_file() else pull(str(address))


def pull(source: Path | str, out: Path | str | None = None, trust: bool = False) -> Path:
    """Fetch a run into a folder (`out`, else below runs/pulled), or bring one that was pulled up to date; its folder.

    `source` is `hf://owner/name`, an https address of a zip, a zip or a folder. With `trust` the code of its plugins
    may be executed here. Raises ZooError where there is no run, where it is damaged, and where `out` holds another one.
    """
    address = address_of(str(source)) or Address("file", str(Path(source).absolute()))
    target = Path(out) if out else address.folder
    before = read_json(target / PULLED)
    if before is None and target.exists() and any(target.iterdir()):
        raise ZooError(f"{target} holds something that was not pulled. Choose another folder with --out DIR.")
    if before is not None and before["from"] != str(address):
        raise ZooError(f"{target} holds what was pulled from {before['from']}. Choose another folder with --out DIR.")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".pulling-") as scratch:
        stage = Path(scratch, "run")
        stage.mkdir()
        revision = fetch(address, stage)
        code = checked(stage, address)
        if trust and before is not None and before["plugins"] != code:
            raise ZooError(
                f"The code at {address} is not what was pulled before. Look at it first: zoo pull {address}, then "
                f"{listed(target, code)}; then zoo pull {address} --trust"
            )
        trusted = code if trust else (before or {}).get("trusted", {})
        notes = {"from": str(address), "revision": revision, "pulled": time.strftime("%Y-%m-%d %H:%M:%S %z")}
        target.mkdir(exist_ok=True)
        write_json(target / PULLED, {**notes, "plugins": code, "trusted": trusted})  # first: no code without it
        put(stage, target)
    return target


def put(stage: Path, target: Path) -> None:
    """Move a run's files to their folder, in which nothing of an earlier one is left but what was made of it.

    run.yaml comes last: what was pulled half is no run.
    """
    for old in [target / RECORD, *target.glob("checkpoints/*.npz"), *target.glob("plugins/*.py")]:
        old.unlink(missing_ok=True)
    files = [path for path in stage.rglob("*") if path.is_file()]
    for path in sorted(files, key=lambda each: each.name == RECORD):
        place = target / path.relative_to(stage)
        place.parent.mkdir(parents=True, exist_ok=True)
        path.replace(place)


def fetch(address: Address, stage: Path) -> str | None:
    """Copy the files of a run to a folder; the revision that they are of, where there are revisions."""
    if address.kind == "hf":
        return fetch_from_hub(address, stage)
    if address.kind == "file":
        fetch_files(Path(address.rest), stage)
        return None
    with tempfile.TemporaryFile() as file:
        download(str(address), file)
        unpack(file, str(address), stage)
    return None


def fetch_from_hub(address: Address, stage: Path) -> str:
    """The files of a run on the hub."""
    repository, revision = address.repository
    with telling_hub(address) as hub:
        info = hub.model_info(repository, revision=revision)
        for name in sorted(each.rfilename for each in info.siblings or [] if FILES.fullmatch(each.rfilename)):
            hub.hf_hub_download(repository, name, revision=info.sha, local_dir=stage)
    shutil.rmtree(stage / ".cache", ignore_errors=True)  # where the hub's library keeps its notes
    return str(info.sha)


class telling_hub:
    """The hub's interface, whose errors are told in a sentence; never with what was sent, which holds the token."""

    def __init__(self, address: Address) -> None:
        self.address = address

    def __enter__(self) -> Any:
        try:
            from huggingface_hub import HfApi
            from huggingface_hub.utils import disable_progress_bars
        except ImportError as error:
            raise ZooError(f"{self.address} needs huggingface_hub: pip install 'gan-zoo[hub]'.") from error
        disable_progress_bars()
        return HfApi(endpoint=os.environ.get("HF_ENDPOINT"), library_name="gan-zoo")

    def __exit__(self, _kind: Any, error: BaseException | None, _traceback: Any) -> None:
        if error is None or isinstance(error, ZooError) or not isinstance(error, Exception):
            return
        if isinstance(error, OSError) and error.errno is not None:  # of this machine, such as a full disk
            return
        status = getattr(getattr(error, "response", None), "status_code", None)
        why = {
            401: "you are not known to it: log in with `hf auth login`, or set HF_TOKEN",
            403: "your token may not do this: make one that may write",
            404: "there is no such model or revision, or you may not see it",
        }.get(status or 0, f"HTTP {status}" if status else f"it can't be reached ({type(error).__name__})")
        raise ZooError(f"The hub refuses {self.address}: {why}.") from None


def download(address: str, file: IO[bytes]) -> None:
    """What lies at an address, written to a file; raises ZooError where it is not to be had."""
    try:
        with urllib.request.urlopen(address, timeout=60) as answer:
            copy(answer, file, address)
    except (urllib.error.URLError, OSError, ValueError) as error:
        reason = f"HTTP {error.code}" if isinstance(error, urllib.error.HTTPError) else str(error)
        raise ZooError(f"{address} can't be read: {reason}.") from error


def copy(source: IO[bytes], target: IO[bytes], name: str) -> None:
    """Copies a file to its end; raises ZooError where that is too far."""
    done = 0
    while block := source.read(BLOCK):
        done += len(block)
        if done > LARGEST:
            raise ZooError(f"{name} is larger than {LARGEST:,} bytes. It is refused.")
        target.write(block)


def fetch_files(path: Path, stage: Path) -> None:
    """The files of a run in a folder or a zip."""
    if path.is_file():
        with path.open("rb") as file:
            unpack(file, str(path), stage)
        return
    found = sorted(each.parent for each in path.rglob(RECORD))
    folder = only_run(found, str(path))
    for file in folder.rglob("*"):
        name = file.relative_to(folder).as_posix()
        if FILES.fullmatch(name) and file.is_file() and not file.is_symlink():
            place = stage / name
            place.parent.mkdir(exist_ok=True)
            with file.open("rb") as source, place.open("wb") as target:
                copy(source, target, str(file))


def unpack(file: IO[bytes], name: str, stage: Path) -> None:
    """The files of the run in a zip, at its top or in a folder of it."""
    try:
        with zipfile.ZipFile(file) as archive:
            members = {PurePosixPath(each.filename): each for each in archive.infolist() if not each.is_dir()}
            folder = only_run([path.parent for path in members if path.name == RECORD], name)
            for path, info in members.items():
                if folder not in path.parents or not FILES.fullmatch(inside := str(path.relative_to(folder))):
                    continue
                place = stage / inside
                place.parent.mkdir(exist_ok=True)
                with archive.open(info) as source, place.open("wb") as target:
                    copy(source, target, f"{name}: {path}")
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
        raise ZooError(f"{name} is no whole zip: {error}.") from error


def only_run(folders: Iterable[Any], where: str) -> Any:
    """The only folder that holds a run."""
    found = list(folders)
    if len(found) != 1:
        number = f"{len(found)} runs" if found else "no run"
        raise ZooError(f"{where} holds {number}: a run's folder holds {RECORD}. Name one run.")
    return found[0]


def checked(stage: Path, address: Address) -> dict[str, str]:
    """The hash of each plugin's file that a fetched run brings; raises ZooError where the run is not whole."""
    record = RunDirectory(stage).record()
    if record is None:
        raise ZooError(f"{address} holds no run: there is no {RECORD}.")
    paths = RunDirectory(stage).checkpoints.paths()
    if not paths:
        raise ZooError(f"{address} holds no weights: there is no checkpoints/step-N.npz.")
    for path in paths:
        check_arrays(path, address)
    code = code_of(record["plugins"], stage, address)
    for path in stage.glob("plugins/*.py"):  # what no plugin of the run is would only lie there
        if path.stem not in code:
            path.unlink()
    return code


def code_of(plugins: Iterable[Any], stage: Path, address: Address) -> dict[str, str]:
    """The hash of each plugin's file; raises ZooError where it is not what the record says."""
    code = {}
    for each in plugins:
        if not isinstance(each, dict) or not PLUGIN.fullmatch(str(each.get("name"))):
            raise ZooError(f"{address}: {RECORD} names a plugin {each!r}, which can't be. It is refused.")
        if "sha256" not in each:
            continue
        code[each["name"]] = hash_of(stage / "plugins" / f"{each['name']}.py")
        if code[each["name"]] != each["sha256"]:
            raise ZooError(f"{address}: plugins/{each['name']}.py is not the code that trained the run. It is refused.")
    return code


def check_arrays(path: Path, address: Address) -> None:
    """Raises ZooError where a checkpoint is torn, or would unpack to more than any generator has."""
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(each.file_size for each in archive.infolist())
    except zipfile.BadZipFile as error:
        raise ZooError(f"{address}: {path.name} is torn: {error}. Pull it again.") from error
    if size > LARGEST:
        raise ZooError(f"{address}: {path.name} unpacks to {size:,} bytes. It is refused.")
