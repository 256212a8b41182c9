"""What of a machine lies idle while the zoo computes: a GPU that the backend does not see, oneDNN that is off."""

import os
from collections.abc import Mapping
from pathlib import Path

from zoo.backend.settings import of_backend

NVIDIA = Path("/proc/driver/nvidia/gpus")  # a folder for each GPU, with its model in `information`
ONEDNN = "TF_ENABLE_ONEDNN_OPTS"


def advice(title: str, extra: str, kind: str) -> list[str]:
    """A sentence for each part of the machine that lies idle; `title` and `extra` are the backend's."""
    if kind != "cpu":
        return []
    found = []
    if (gpus := models(NVIDIA)) and not hidden(os.environ):
        first = "pip uninstall tensorflow-cpu, then " if title == "TensorFlow" else ""  # they own the same folder
        found.append(
            f"Idle: {' and '.join(gpus)}, which {title} does not see. Install it with CUDA: {first}pip install "
            f"'gan-zoo[{extra}]'; with CUDA_VISIBLE_DEVICES set to nothing this is not said again."
        )
    if of_backend().computes_by_onednn() is False and os.environ.get(ONEDNN) != "0":
        found.append(
            "TensorFlow computes without oneDNN, by which convolutions are up to twice as fast: it was loaded before "
            f"the zoo could say so. Set {ONEDNN}=1 before anything imports TensorFlow."
        )
    return found


def models(folder: Path) -> list[str]:
    """The models of the machine's NVIDIA GPUs, each once."""
    try:
        files = sorted(folder.glob("*/information"))
        lines = [line for each in files for line in each.read_text().splitlines()]
    except OSError:
        return []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("Model:")]
    return list(dict.fromkeys(named or (["An NVIDIA GPU"] if files else [])))


def hidden(environment: Mapping[str, str]) -> bool:
    """Whether the user keeps the backend from GPUs."""
    chosen = environment.get("CUDA_VISIBLE_DEVICES", "0").strip()
    return chosen in ("", "-1") or environment.get("JAX_PLATFORMS") == "cpu"
