"""Memory or disk that runs out: what was asked for, how large it was, and what would make it smaller.

Backends tell it in their own words, and by exceptions of their own, so it is recognised by text.
"""

import errno
import math
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from zoo.errors import ZooError

FULL = (errno.ENOSPC, errno.EDQUOT)
MARKS = re.compile(  # how NumPy, TensorFlow and JAX begin
    r"RESOURCE_EXHAUSTED|ResourceExhausted|\bOOM when|[Oo]ut of memory|Unable to allocate|CUDA_ERROR_OUT_OF_MEMORY"
)
TENSOR = re.compile(r"shape\s*[\[(]([\d, ]*)[\])](?: and (?:data )?type (\w+))?")
BYTES = re.compile(r"(?:allocat\w*(?: request for)?|allocate) (\d+(?:\.\d+)?) ?(bytes|B|[KMGT]i?B)\b")
UNITS = {"B": 0, "bytes": 0, "K": 1, "M": 2, "G": 3, "T": 4}
SIZES = {"double": 8, "int64": 8, "complex64": 8, "half": 2, "bfloat16": 2, "uint8": 1, "int8": 1, "bool": 1}
FLOAT = 4  # bytes of float, int32 and whatever else


class OutOfMemory(ZooError):
    """There is too little memory for what was asked; no mistake in the command."""

    exit_code = 1


def is_shortage(error: BaseException) -> bool:
    """Whether an exception says that memory, of the host or of a device, ran out."""
    return isinstance(error, MemoryError) or bool(MARKS.search(f"{type(error).__name__}: {error}"))


@contextmanager
def telling_shortage(options: Callable[[], Sequence[str]]) -> Iterator[None]:
    """Turns an exception about memory that ran out into OutOfMemory, with the options that need less."""
    try:
        yield
    except Exception as error:
        if isinstance(error, OutOfMemory) or not is_shortage(error):
            raise
        smaller = ", ".join(options())
        tries = f" Less is needed with {smaller}." if smaller else ""
        raise OutOfMemory(f"{described(error)}.{tries} Everything saved before is kept.") from error


def described(error: BaseException) -> str:
    """`Out of memory on GPU 0: no room for a tensor (5, 5, 4096, 4096) of 1.6 GiB`."""
    text = str(error)
    device = re.search(r"device:GPU:(\d+)|device ordinal (\d+)|GPU_(\d+)", text)
    on_host = isinstance(error, MemoryError) or "device:CPU" in text
    where = f" on GPU {device[1] or device[2] or device[3]}" if device else " on the host" if on_host else ""
    tensor = TENSOR.search(text)
    shape = tuple(int(each) for each in tensor[1].split(",") if each.strip()) if tensor else ()
    what = [f"a tensor {shape}"] if shape else []
    if found := BYTES.search(text):
        size = float(found[1]) * 1024 ** UNITS[found[2] if found[2] == "bytes" else found[2][0]]
    else:
        size = math.prod(shape) * SIZES.get((tensor[2] if tensor else "") or "", FLOAT) if shape else 0
    what += [f"of {in_units(size)}" if what else in_units(size)] if size else []
    available = free_memory() if on_host else 0
    free = f" ({in_units(available)} are free)" if 0 < available < size else ""  # else a limit of the process was met
    return f"Out of memory{where}: no room for {' '.join(what)}{free}" if what else f"Out of memory{where}"


def free_memory() -> int:
    """Bytes that the system can still give; 0 where it does not say."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return 0
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")), 0)


def in_units(size: float) -> str:
    """Bytes as a person reads them: 1.6 GiB."""
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit in ("bytes", "KiB") else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"


def full_disk(error: OSError) -> str:
    """What to do about a disk that is full; "" for any other error."""
    if error.errno not in FULL:
        return ""
    path = Path(str(error.filename or "")).absolute()
    folder = next(each for each in (path, *path.parents) if each.is_dir())
    quota = " or its quota used up" if error.errno == errno.EDQUOT else ""
    return (
        f"The disk of {folder} is full{quota} ({in_units(shutil.disk_usage(folder).free)} free). Make room there, or "
        "write elsewhere: --out for runs, --data-dir for data"
    )
