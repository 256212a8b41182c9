"""What a machine has to divide among jobs: its cores, by numbers of threads, and its GPUs, by what each job sees."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping

VISIBLE = "CUDA_VISIBLE_DEVICES"
# NPROC is what XLA sizes JAX's pools by, compilation's too. Measured in 2026-11 by the seconds of each thread, jaxlib
# 0.10.2 and TensorFlow 2.21 on two cores: with these set to 1 one thread alone computes, compiled by XLA or not;
# OMP_NUM_THREADS and --xla_cpu_multi_thread_eigen=false leave two. Pinning to cores would limit both as well, but two
# comparisons on one machine would pin theirs to the same cores.
THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
    "NPROC",
)
# Variables of jobs that share a GPU: the first job would otherwise take nearly all of its memory.
SHARING = {"TF_FORCE_GPU_ALLOW_GROWTH": "true", "XLA_PYTHON_CLIENT_PREALLOCATE": "false"}
SHARERS = "GAN_ZOO_JOBS_A_GPU"  # how many jobs share the GPU of this one
# How a job computes and where its data lies is said by variables that begin so.
GOVERNING = ("GAN_ZOO_", "KERAS_", "TF_", "TFDS_", "JAX_", "XLA_", "OMP_", "OPENBLAS_", "MKL_", "NPROC")
UUID = re.compile(r"\(UUID: ((?:GPU|MIG)-[^)]+)\)")


def cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def gpus(environ: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """The GPUs that this process may use, each as CUDA_VISIBLE_DEVICES names it; asks neither TensorFlow nor JAX."""
    if VISIBLE in environ:
        return _visible(environ[VISIBLE])
    if not shutil.which("nvidia-smi"):
        return ()
    try:
        listing = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):  # a broken driver
        return ()
    return listed(listing.stdout) if listing.returncode == 0 else ()


def _visible(names: str) -> tuple[str, ...]:
    """Those that CUDA sees: all before the first that is empty or negative."""
    seen: list[str] = []
    for name in (each.strip() for each in names.split(",")):
        if not name or name.startswith("-"):
            break
        seen.append(name)
    return tuple(seen)


def listed(listing: str) -> tuple[str, ...]:
    """The UUIDs in what `nvidia-smi -L` prints: indices, unlike them, may count in another order than CUDA's.

    A GPU that is divided into MIG devices is listed above them, and can only be used by them.
    """
    found: list[str] = []
    for uuid in UUID.findall(listing):
        if uuid.startswith("MIG-") and found and found[-1].startswith("GPU-"):
            found.pop()
        found.append(uuid)
    return tuple(found)


def of_threads(threads: int, environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that keep a job to so many threads, without those that the user has set."""
    return {name: str(threads) for name in THREADS if name not in environ}


def of_sharing(environ: Mapping[str, str], jobs: int) -> dict[str, str]:
    """The variables that let so many jobs share a GPU, without those that the user has set."""
    return {SHARERS: str(jobs), **{name: value for name, value in SHARING.items() if name not in environ}}


def crowd(environ: Mapping[str, str]) -> str:
    """What helps a job that shares its GPU, where memory ran out there; "" for one that has it alone."""
    jobs = environ.get(SHARERS)
    return f" {jobs} runs share this GPU: with fewer at once (--jobs, --gpus) each has more." if jobs else ""


def governing(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that a job needs on another machine as well."""
    return {name: value for name, value in environ.items() if name.startswith(GOVERNING)}
