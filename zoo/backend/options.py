"""The user's options of an engine; this module imports neither Keras nor a backend."""

from dataclasses import dataclass
from typing import Literal

from zoo.errors import ZooError, unknown

Precision = Literal["float32", "bfloat16"]
PRECISIONS = ("float32", "bfloat16")


@dataclass(frozen=True)
class Processes:
    """The processes that train one run together: this one's index, their count, and the address of process 0."""

    index: int = 0
    count: int = 1
    coordinator: str | None = None
    """`host:port` of process 0, where the port is free."""

    def __post_init__(self) -> None:
        if not 0 <= self.index < self.count:
            raise ZooError(f"Process {self.index} of {self.count}: they are numbered from 0 to {self.count - 1}.")
        if self.count > 1 and not self.coordinator:
            raise ZooError("Several processes need --coordinator HOST:PORT, an address of the first one's machine.")

    @property
    def writes_files(self) -> bool:
        """Whether this process is the one that writes the run directory and reports progress."""
        return self.index == 0


ALONE = Processes()


@dataclass(frozen=True)
class EngineOptions:
    """Backend, precision and devices of a run."""

    backend: str | None = None
    """tensorflow or jax; None for the environment's KERAS_BACKEND, else TensorFlow."""
    precision: Precision = "float32"
    """Precision of the layers' computations; weights, logits, losses, penalties and averages are float32 in either."""
    devices: int = 1
    """Number of devices of this process; on a CPU they are virtual, and share the cores."""
    deterministic: bool = False
    """Whether a GPU may use only kernels that give the same bits again, at some cost; a CPU does so anyway."""
    processes: Processes = ALONE

    def __post_init__(self) -> None:
        if self.precision not in PRECISIONS:
            raise unknown("precision", self.precision, PRECISIONS)
        if self.devices < 1:
            raise ZooError(f"--devices must be at least 1; received {self.devices}.")


DEFAULT_ENGINE = EngineOptions()
