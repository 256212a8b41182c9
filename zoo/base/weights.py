"""Weights that a paper's score is defined by: looked for, downloaded once, and never used unless every byte is right.

It imports nothing big: which extractor is the default depends on what is at hand.
"""

import hashlib
import http.client
import os
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from zoo.base.files import atomic_file
from zoo.base.progress import Progress
from zoo.errors import ZooError

CACHE = "GAN_ZOO_CACHE"  # of the environment: another folder than the platform's
MIRROR = "GAN_ZOO_MIRROR"  # of the environment: the address of a folder that holds weights by their names, asked first
EARLIER_CACHE = Path("~/.cache/gan-zoo")  # on every platform, before there was platformdirs
TORCH_HUB = Path("~/.cache/torch/hub/checkpoints")  # where pytorch-fid and torch-fidelity keep theirs
BY_OPTION = "--weights PATH. Or measure in a network whose weights are installed: --extractor efficientnet-lite0."
TIMEOUT = 30.0  # seconds without a response
CHUNK = 2**20  # bytes


@dataclass(frozen=True)
class Published:
    """A file that was published: its content is known, and whoever has it may have it under any of its names."""

    size: int  # bytes
    sha256: str
    addresses: tuple[str, ...]
    otherwise: str = ""  # what to do without it, in a sentence; where it is empty, an option names it

    @property
    def advice(self) -> str:
        """What follows on "Put the file into FOLDER"."""
        return f". {self.otherwise}" if self.otherwise else f", or name it with {BY_OPTION}"

    @property
    def names(self) -> tuple[str, ...]:
        """What it is called at each address."""
        return tuple(address.rpartition("/")[2] for address in self.addresses)

    @property
    def every_address(self) -> tuple[str, ...]:
        """Its addresses, those at the user's mirror first."""
        mirror = os.environ.get(MIRROR, "").rstrip("/")
        return (*(f"{mirror}/{name}" for name in self.names if mirror), *self.addresses)


INCEPTION = Published(
    size=95_628_359,
    sha256="6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2",
    addresses=(
        "https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/pt_inception-2015-12-05-6726825d.pth",
        "https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/weights-inception-2015-12-05-6726825d.pth",
    ),
)


def cache_folder() -> Path:
    """Where downloads are kept: $GAN_ZOO_CACHE, else the platform's folder of caches, such as ~/.cache/gan-zoo."""
    return Path(os.environ.get(CACHE) or platform_cache()).expanduser().absolute()


def platform_cache() -> Path:
    """`gan-zoo` in the platform's folder of caches."""
    from platformdirs import user_cache_path

    return Path(user_cache_path("gan-zoo", appauthor=False))


def cache_folders() -> list[Path]:
    """Where downloads are looked for: the folder of today, and that of earlier versions, unless one was chosen."""
    return [cache_folder(), *([] if os.environ.get(CACHE) else [EARLIER_CACHE.expanduser()])]


def at_hand(published: Published | None = None) -> bool:
    """Whether a file of the right size, Inception's weights by default, lies in a cache; its bytes aren't read."""
    published = published or INCEPTION
    found = kept(published)
    return found is not None and found.stat().st_size == published.size


def kept(published: Published) -> Path | None:
    """The file in our own cache or in that of torch, one of the right size rather than another."""
    folders = dict.fromkeys([*cache_folders(), TORCH_HUB.expanduser()])
    paths = [folder / name for folder in folders for name in published.names]
    there = [path for path in paths if path.is_file()]
    return max(there, key=lambda path: path.stat().st_size == published.size, default=None)


def verified_file(published: Published, given: Path | None, progress: Progress) -> Path:
    """The path of the file `given`, or of the one in a cache, or of the one downloaded; every byte is verified.

    Raises ZooError where its bytes are other ones, and where it can't be downloaded.
    """
    found = given or kept(published)
    if found is None:
        return downloaded(published, cache_folder() / published.names[0], progress)
    verify(found, published.sha256, published.size, by_option=not published.otherwise)
    return found


def verify(path: Path, sha256: str, size: int | None = None, by_option: bool = True) -> None:
    """Raises ZooError unless the file's content has this checksum; `by_option`: whether --weights names another."""
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
            found_size = file.tell()
    except OSError as error:
        raise ZooError(f"Can't read the weights {path}: {error.strerror or error}.") from error
    if found != sha256:
        expected = f" ({size:,} bytes)" if size else ""
        other = ", or name another one with --weights PATH" if by_option else ""
        raise ZooError(
            f"The weights {path} are damaged or other ones: their sha256 is {found} ({found_size:,} bytes), expected "
            f"{sha256}{expected}. Remove the file, so that it is fetched anew{other}."
        )


def downloaded(published: Published, path: Path, progress: Progress) -> Path:
    """The path of the file, fetched from the first address that has it."""
    failures = []
    for address in published.every_address:
        try:
            fetch(address, published, path, progress)
        except (OSError, http.client.HTTPException, ValueError) as error:
            failures.append(f"{address}: {error}")
        else:
            progress.note(f"Kept the weights in {path}.")
            return path
    reasons = "\n".join(f"  {each}" for each in failures)
    raise ZooError(
        f"The weights {path.name} ({published.size:,} bytes, sha256 {published.sha256}) could not be downloaded:\n"
        f"{reasons}\n"
        f"Put the file into {path.parent}{published.advice}"
    )


def fetch(address: str, published: Published, path: Path, progress: Progress) -> None:
    """Write what an address sends to a path, where nothing appears unless all of it is right.

    Raises OSError, HTTPException or ValueError.
    """
    progress.note(f"Downloading {address} ({published.size / 2**20:.0f} MiB)")
    path.parent.mkdir(parents=True, exist_ok=True)
    digest, done = hashlib.sha256(), 0
    with urllib.request.urlopen(address, timeout=TIMEOUT) as response, atomic_file(path) as file:
        for chunk in chunks(response, published.size + 1):
            file.write(chunk)
            digest.update(chunk)
            done += len(chunk)
            progress.counting(path.name, min(done, published.size), published.size)
        if done != published.size:
            sent = f"{done:,} of" if done < published.size else "more than"
            raise ValueError(f"sent {sent} {published.size:,} bytes")
        if digest.hexdigest() != published.sha256:
            raise ValueError(f"sent a file whose sha256 is {digest.hexdigest()}")


def chunks(response: IO[bytes], most: int) -> Iterator[bytes]:
    """What is sent, piece by piece, and no more than `most` bytes of it."""
    while most and (chunk := response.read(min(CHUNK, most))):
        most -= len(chunk)
        yield chunk
