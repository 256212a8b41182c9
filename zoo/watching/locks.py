"""Which files are locked, read from the kernel: acquiring a lock would make a run fail that starts at that moment."""

import os
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

HELD = Path("/proc/locks")  # `1: FLOCK  ADVISORY  WRITE 8319 fe:00:2640201 0 EOF`; a waiting lock is `1: -> FLOCK ...`
MOUNTS = Path("/proc/self/mountinfo")  # `27 1 254:0 / /home rw,relatime - ext4 /dev/vda rw`
# File systems that several machines may mount.
SHARED = {"9p", "afs", "beegfs", "ceph", "cifs", "gpfs", "lustre", "nfs", "nfs4", "smb3", "virtiofs"}


@dataclass(frozen=True)
class Locks:
    """The file locks of this machine at one moment."""

    holders: (
        Mapping[int, list[tuple[int, int]]] | None
    )  # (device, process) by inode; None where the system does not list locks
    shared: frozenset[int]  # devices on which other machines may hold locks that this one does not list

    def held(self, path: Path) -> bool | None:
        """Whether a process holds a lock on the file; None where that is unknown."""
        try:
            file = path.stat()
        except OSError:
            return False
        if self.holders is None:
            return None
        for device, process in self.holders.get(file.st_ino, ()):
            if device == file.st_dev or has_open(
                process, file
            ):  # files on Btrfs and overlays have another device number
                return True
        return None if file.st_dev in self.shared else False


def read_locks() -> Locks:
    """The current locks of this machine; unknown on other systems than Linux."""
    try:
        held, mounts = HELD.read_text().splitlines(), MOUNTS.read_text().splitlines()
    except OSError:  # not Linux
        return Locks(None, frozenset())
    return Locks(holders(held), shared_devices(mounts))


def holders(lines: list[str]) -> dict[int, list[tuple[int, int]]]:
    """(device, process) of each whole-file lock in the lines of /proc/locks, by the file's inode."""
    found: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for words in map(str.split, lines):
        if words[1:2] == ["FLOCK"]:
            major, minor, inode = words[5].split(":")
            found[int(inode)].append((os.makedev(int(major, 16), int(minor, 16)), int(words[4])))
    return dict(found)


def shared_devices(lines: list[str]) -> frozenset[int]:
    """The devices of the file systems in the lines of mountinfo that several machines may mount."""
    found = set()
    for words in map(str.split, lines):
        major, minor = words[2].split(":")
        kind = words[words.index("-") + 1]
        if kind in SHARED or kind.startswith("fuse."):
            found.add(os.makedev(int(major), int(minor)))
    return frozenset(found)


def has_open(process: int, file: os.stat_result) -> bool:
    """Whether the process has that file open; False for another user's process, which can't be inspected."""
    try:
        return any(os.path.samestat(each.stat(), file) for each in Path(f"/proc/{process}/fd").iterdir())
    except OSError:
        return False
