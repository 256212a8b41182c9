"""The machine and commit that a number was measured on."""

import os
import platform
import subprocess
from pathlib import Path

from benchmarks.common.processes import ROOT


def machine(threads: int) -> dict[str, object]:
    """Processor, cores, memory, GPU and operating system, as text by name."""
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "threads": threads,
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "gpu": output(["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"]) or None,
        "system": platform.platform(),
        "python": platform.python_version(),
    }


def processor() -> str:
    """The processor's model name and matrix units."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    fields = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    units = [unit for unit in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if unit in fields.get("flags", "").split()]
    return " ".join([fields.get("model name", platform.machine()), *units])


def commit() -> str:
    """The code's commit, with a plus sign where files differ from it."""
    head = output(["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"])
    return head + ("+" if output(["git", "-C", str(ROOT), "status", "--porcelain", "zoo", "plugins"]) else "")


def output(command: list[str]) -> str:
    """The output of a command; "" where it fails or is not installed."""
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""
