"""Writes the PyTorch files beside this one, and what they hold: python make_torch_files.py, where torch is installed.

The committed ones were written by torch 2.14.1.
"""

from collections import OrderedDict
from pathlib import Path

import numpy as np
import torch

HERE = Path(__file__).parent


def tensors() -> OrderedDict[str, torch.Tensor]:
    """Small tensors of every layout: transposed, every second column, shared storages, a single number, none."""
    draw = np.random.default_rng(0)
    base = torch.from_numpy(draw.normal(size=(4, 6)).astype("float32"))
    return OrderedDict(
        whole=base,
        transposed=base.T,
        columns=base[1:, 1::2],
        last=base[3],
        half=torch.from_numpy(draw.normal(size=5)).half(),
        double=torch.from_numpy(draw.normal(size=(2, 1, 2))),
        count=torch.tensor(1234567890123),
        flags=torch.tensor([True, False, True]),
        bytes=torch.arange(7, dtype=torch.uint8),
        channels_last=torch.from_numpy(draw.normal(size=(1, 3, 2, 2)).astype("float32")).contiguous(
            memory_format=torch.channels_last
        ),
        parameter=torch.nn.Parameter(torch.from_numpy(draw.normal(size=3).astype("float32"))),
        none=torch.zeros((0, 3)),
    )


def main() -> None:
    """Write torch_zip.pth, torch_legacy.pth, and their contents as torch_files.npz."""
    made = tensors()
    layer = torch.nn.BatchNorm1d(2)
    made.update({f"layer.{name}": each for name, each in layer.state_dict().items()})
    made._metadata = layer.state_dict()._metadata  # as every state dict has it
    torch.save(made, HERE / "torch_zip.pth")
    torch.save(made, HERE / "torch_legacy.pth", _use_new_zipfile_serialization=False)
    np.savez_compressed(HERE / "torch_files.npz", **{name: each.detach().numpy() for name, each in made.items()})
    torch.save({"state_dict": made, "epoch": 3}, HERE / "torch_nested.pth")
    torch.save(torch.nn.Linear(1, 1), HERE / "torch_module.pth")


if __name__ == "__main__":
    main()
