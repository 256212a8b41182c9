"""Device, memory and a matrix product, by PyTorch itself."""

import os
from collections.abc import Callable

import torch

torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")


def versions() -> dict[str, str]:
    """The version of PyTorch."""
    return {"torch": torch.__version__}


def device_name() -> str:
    """The GPU's name, or "CPU"."""
    return torch.cuda.get_device_name() if DEVICE.type == "cuda" else "CPU"


def device_memory() -> int | None:
    """The most bytes that tensors held on the GPU."""
    return torch.cuda.max_memory_allocated() if DEVICE.type == "cuda" else None


def wait() -> None:
    """Waits until the device has finished all work."""
    if DEVICE.type == "cuda":
        torch.cuda.synchronize()


def multiplication(size: int, dtype: str, count: int) -> Callable[[], None]:
    """A call that multiplies two square matrices `count` times and waits for the result."""
    torch.set_float32_matmul_precision("high")  # TF32, as the other libraries use on a GPU
    left, right = (torch.randn(size, size, device=DEVICE).to(getattr(torch, dtype)) for _ in range(2))

    def multiply() -> None:
        product = left
        for _ in range(count):
            product = product @ right
        wait()

    return multiply
