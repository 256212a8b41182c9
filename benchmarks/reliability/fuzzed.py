"""Damages files, and has the zoo read each: `python -m benchmarks.reliability.fuzzed KIND FROM TO SEED FOLDER`.

Where a reader is Python, its lines are counted: an input that reaches new ones is damaged further. Prints a JSON line
for each file.
"""

import contextlib
import io
import json
import os
import random
import signal
import sys
import traceback
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
from PIL import Image

from zoo.errors import ZooError

from .runs import HANG

SIDE = 12  # pixels
TOKENS = (
    b"\0",
    b"\xff",
    b"\n",
    b": ",
    b"- ",
    b"{",
    b"[" * 200,
    b"*a",
    b"&a ",
    b"!!int ",
    b"1e999",
    b"-1",
    b"2147483648",
    b"null",
)
REGISTRY = """\
# one's own
plugins:
  mine: {module: mine.plugin}
variants:
  my-variant:
    plugins: [dcgan, r1]
    summary: two of the zoo's
    recipe: {width: 16, generator_learning_rate: 2e-4, r1_gamma: .5}
    datasets:
      mnist: {batch_size: 32}
datasets:
  my-photos: {path: photos, image_size: 64, crop: 108, epochs: 3, train: "train[:80%]", summary: "faces"}
  my-letters: {tfds: "emnist/letters:3.*.*", label_key: label}
metrics:
  mean: {module: mine.metrics, summary: "a mean"}
benchmarks:
  my-benchmark: {datasets: [my-photos, mnist], images: 100000, seeds: 3, recipe: {width: 8}}
"""
Reader = Callable[[Path], object]


class TooLong(BaseException):
    """Raised where a file is read for longer than a hang."""


def pictures(count: int = 6, name: str = "PNG", **options: Any) -> list[bytes]:
    """Small random pictures in a format."""
    draw, found = np.random.default_rng(1), []
    for _ in range(count):
        file = io.BytesIO()
        Image.fromarray(draw.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)).save(file, name, **options)
        found.append(file.getvalue())
    return found


def registry() -> bytes:
    """A registry with an entry of each kind."""
    return REGISTRY.encode()


def run_yaml() -> bytes:
    """The record of a run that is committed."""
    return (Path(__file__).parents[1] / "results" / "fashion_mini" / "run.yaml").read_bytes()


def npz() -> bytes:
    """Images and labels as NumPy packs them."""
    file = io.BytesIO()
    draw = np.random.default_rng(2)
    np.savez(file, samples=draw.integers(0, 256, (20, SIDE, SIDE, 1), dtype=np.uint8), labels=np.arange(20) % 3)
    return file.getvalue()


def zipped() -> bytes:
    """Pictures in two folders of a zip."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, content in enumerate(pictures(12)):
            archive.writestr(f"{number % 2}/{number}.png", content)
    return file.getvalue()


def dataset_json() -> bytes:
    """Labels in the layout of NVlabs."""
    return json.dumps({"labels": [[f"00000/{number}.png", number % 3] for number in range(12)]}).encode()


def checkpoint() -> bytes:
    """A checkpoint of five arrays."""
    file, draw = io.BytesIO(), np.random.default_rng(3)
    notes = np.frombuffer(json.dumps({"meter": {"count": 0, "sums": {}}, "seconds": 1.0}).encode(), np.uint8)
    arrays = {f"generator/{number}": draw.normal(size=(4, 4)).astype("float32") for number in range(5)}
    np.savez(file, steps=np.array(7), **arrays, **{"notes.json": notes})
    return file.getvalue()


def pth() -> bytes:
    """A file as torch writes one, by hand: a pickle of one tensor, and its storage."""
    file = io.BytesIO()
    pickled = (
        b"\x80\x02}q\x00X\x01\x00\x00\x00wq\x01ctorch._utils\n_rebuild_tensor_v2\nq\x02((X\x07\x00\x00\x00storageq\x03"
        b"ctorch\nFloatStorage\nq\x04X\x01\x00\x00\x000q\x05X\x03\x00\x00\x00cpuq\x06K\x06tq\x07QK\x00K\x02K\x03\x86q\x08"
        b"K\x03K\x01\x86q\t\x89ccollections\nOrderedDict\nq\n)Rq\x0btq\x0cRq\rs."
    )
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("archive/data.pkl", pickled)
        archive.writestr("archive/data/0", np.arange(6, dtype="<f4").tobytes())
        archive.writestr("archive/version", "3\n")
    return file.getvalue()


def as_dataset(path: Path) -> object:
    """Prepares the file, or the folder, and reads every sample."""
    from zoo.catalogue import Catalogue, read_catalogue
    from zoo.data import open_dataset

    catalogue: Catalogue = read_catalogue(directory=path.parent / "nowhere")
    return np.asarray(open_dataset(str(path), catalogue, data_dir=path.parent / f"data-{path.name}").samples).sum()


def beside_pictures(path: Path) -> object:
    """A folder of pictures, with the file as one more of them, or beside them."""
    folder = path.parent / f"folder-{path.name}"
    (folder / "00000").mkdir(parents=True)
    inside = folder / "00000" if path.suffix != ".json" else folder
    for number, content in enumerate(pictures(12)):
        (folder / "00000" / f"{number}.png").write_bytes(content)
    path.rename(inside / ("dataset.json" if path.suffix == ".json" else path.name))
    return as_dataset(folder)


def as_registry(path: Path) -> object:
    """The catalogue of a working directory with that registry."""
    from zoo.catalogue import read_catalogue

    folder = path.parent / f"work-{path.name}"
    folder.mkdir()
    path.rename(folder / "registry.yaml")
    return read_catalogue(directory=folder)


def as_run(path: Path) -> object:
    """A run with that record: its stack, its fields, and where its data lies."""
    import zoo
    from zoo.training.data_of_run import DataOfRun

    folder = path.parent / f"run-{path.name}"
    folder.mkdir()
    path.rename(folder / "run.yaml")
    run = zoo.load(folder)
    return run.stack.recipe, run.fields, DataOfRun(run.record["dataset"], run.path, zoo_catalogue()).name


def zoo_catalogue() -> Any:
    """The catalogue of this working directory."""
    from zoo.catalogue import read_catalogue

    return read_catalogue()


def as_checkpoint(path: Path) -> object:
    """A run's only checkpoint."""
    from zoo.runs.checkpoints import Checkpoints, read_path

    folder = path.parent / f"checkpoints-{path.name}"
    folder.mkdir()
    path = path.rename(folder / "step-00000007.npz")
    Checkpoints(folder).latest()
    return read_path(path)


def as_weights(path: Path) -> object:
    """A file of weights that others made."""
    from zoo.feature_networks.torch_file import read_tensors

    return read_tensors(path)


KINDS: dict[str, tuple[str, Callable[[], bytes], Reader]] = {
    "registry.yaml": (".yaml", registry, as_registry),
    "run.yaml": (".yaml", run_yaml, as_run),
    "dataset.json": (".json", dataset_json, beside_pictures),
    "npz": (".npz", npz, as_dataset),
    "zip": (".zip", zipped, as_dataset),
    "PNG": (".png", lambda: pictures(1)[0], beside_pictures),
    "JPEG": (".jpg", lambda: pictures(1, "JPEG", quality=95)[0], beside_pictures),
    "GIF": (".gif", lambda: pictures(1, "GIF")[0], beside_pictures),
    "checkpoint": (".npz", checkpoint, as_checkpoint),
    "pth": (".pth", pth, as_weights),
}


def damaged(content: bytes, draw: random.Random) -> bytes:
    """The content with one to four of the things that happen to files; in an archive often inside of one member."""
    if content[:2] == b"PK" and draw.random() < 0.6:
        with contextlib.suppress(Exception):  # it is no archive any more
            return damaged_inside(content, draw)
    data = bytearray(content)
    for _ in range(draw.choice((1, 1, 2, 4))):
        damage(data, draw)
    return bytes(data)


def damage(data: bytearray, draw: random.Random) -> None:
    """One damage at a random place."""
    at = draw.randrange(len(data) + 1)
    length = min(len(data) - at, int(2 ** draw.uniform(0, 8)))
    match draw.randrange(7):
        case 0:
            del data[at:]  # the end is missing
        case 1:
            del data[at : at + length]
        case 2:
            data[at:at] = draw.choice(TOKENS)
        case 3:
            data[at:at] = data[at : at + length] * draw.randint(1, 3)
        case 4:
            data[at : at + length] = bytes(length)  # a block that was never written
        case _:
            for index in (draw.randrange(len(data)) for _ in range(draw.randint(1, 3)) if data):
                data[index] ^= 1 << draw.randrange(8)


def damaged_inside(content: bytes, draw: random.Random) -> bytes:
    """An archive, sound in itself, one of whose members is damaged."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    name = draw.choice(list(members))
    members[name] = damaged(members[name], draw)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for each, data in members.items():
            archive.writestr(each, data)
    return file.getvalue()


def lines_reached(read: Callable[[], object]) -> tuple[set[tuple[str, int]], BaseException | None]:
    """The lines of the zoo that reading reaches, and the error that ends it."""
    reached: set[tuple[str, int]] = set()

    def local(frame: FrameType, event: str, argument: object) -> Any:
        reached.add((frame.f_code.co_filename, frame.f_lineno))
        return local

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        return local if "/zoo/" in frame.f_code.co_filename else None

    sys.settrace(trace)
    try:
        read()
    except BaseException as error:
        return reached, error
    finally:
        sys.settrace(None)
    return reached, None


def too_long(number: int, frame: FrameType | None) -> None:
    """The handler of the alarm."""
    raise TooLong


def ending(error: BaseException | None) -> tuple[str, str]:
    """How a file was taken, and what is wrong about it, if anything."""
    match error:
        case None:
            return "read", ""
        case ZooError():
            return "refused", str(error)[:200]
        case TooLong():
            return "hang", f"more than {HANG:g} s"
    where = "".join(traceback.format_exception(error)[-3:])
    return "traceback", f"{type(error).__name__}: {error}\n{where}"[:1500]


def main() -> None:
    """Reads damaged files one after the other."""
    kind, first, last, seed, folder = sys.argv[1], *map(int, sys.argv[2:5]), Path(sys.argv[5])
    warnings.simplefilter("ignore")
    ending_of, make, read = KINDS[kind]
    corpus, known = [make()], set[tuple[str, int]]()
    signal.signal(signal.SIGALRM, too_long)
    warm = folder / f"whole{ending_of}"
    warm.write_bytes(corpus[0])
    read(warm)  # imports what it needs; and the undamaged file must be read
    for index in range(first, last):
        draw = random.Random(f"{seed} {kind} {index}")
        content = damaged(draw.choice(corpus[-20:] + corpus[:1]), draw)
        path = folder / f"damaged-{index}{ending_of}"
        path.write_bytes(content)
        signal.setitimer(signal.ITIMER_REAL, HANG)
        reached, error = lines_reached(lambda path=path: read(path))  # type: ignore[misc]
        signal.setitimer(signal.ITIMER_REAL, 0)
        if reached - known:
            known |= reached
            corpus.append(content)
        end, detail = ending(error)
        if end not in ("read", "refused"):
            kept = folder.parent / "faults"
            kept.mkdir(exist_ok=True)
            (kept / f"{kind}-{index}{ending_of}").write_bytes(content)
        answer = {"index": index, "what": f"{kind} {index}, {len(content)} bytes", "end": end, "detail": detail}
        print(json.dumps(answer), flush=True)
    os._exit(0)  # without the threads that a reader that was cut short has left


if __name__ == "__main__":
    main()
