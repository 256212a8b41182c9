"""The table of how a step is compiled, by backend, device and networks.

Its CPU rows follow benchmarks/results/speed/policies.md; its GPU rows are reasoned, not measured yet.
"""

from dataclasses import dataclass

MANY = 50  # steps a call on a GPU: a fraction of a second, so that Ctrl-C and pictures don't wait
SOME = 16  # steps a call of a dense network on a CPU


@dataclass(frozen=True)
class Policy:
    """How a step is compiled and called."""

    xla: bool
    """Whether XLA compiles the step; otherwise it is a graph of the backend's own kernels."""
    steps_per_call: int
    """Steps that the device takes without returning to Python; with 1 each update is a call of its own."""
    resident: bool
    """Whether the dataset is kept in the device's memory, where it fits."""
    reason: str
    traced: bool = True
    """Whether TensorFlow makes a graph of the step, which takes as long as some steps op by op; JAX always compiles."""

    @property
    def summary(self) -> str:
        """`XLA, 16 steps a call, data on the device`."""
        compiled = "XLA" if self.xla else "graph" if self.traced else "op by op"
        calls = "one call an update" if self.steps_per_call == 1 else f"{self.steps_per_call} steps a call"
        return f"{compiled}, {calls}, data {'on the device' if self.resident else 'from the memory map'}"


ON_GPU = Policy(True, MANY, True, "so that the GPU need not wait for Python; not measured yet")
FUSED = Policy(True, SOME, True, "XLA fuses what dense layers leave to do, and Python is out of the way")
TABLE = {
    ("tensorflow", "cpu", "dense"): FUSED,
    ("tensorflow", "cpu", "convolutional"): Policy(
        False, 1, False, "oneDNN's convolutions are as fast, and XLA would take seconds to compile"
    ),
    ("tensorflow", "gpu", "dense"): ON_GPU,
    ("tensorflow", "gpu", "convolutional"): ON_GPU,
    ("jax", "cpu", "dense"): FUSED,
    ("jax", "cpu", "convolutional"): Policy(
        True, 1, False, "convolutions inside an XLA loop fall to a naive CPU kernel, 50 times slower"
    ),
    ("jax", "gpu", "dense"): ON_GPU,
    ("jax", "gpu", "convolutional"): ON_GPU,
}
MATRIX_UNITS = Policy(False, SOME, True, "oneDNN multiplies bfloat16 by the CPU's matrix units, XLA does not")
MIRRORED = Policy(False, 1, False, "MirroredStrategy runs graphs")


def policy_for(backend: str, kind: str, convolutions: bool, precision: str = "float32", devices: int = 1) -> Policy:
    """The policy of a stack with or without convolutions on that many devices of a kind."""
    if backend == "tensorflow" and devices > 1:
        return MIRRORED
    if (backend, kind, convolutions, precision) == ("tensorflow", "cpu", False, "bfloat16"):
        return MATRIX_UNITS
    return TABLE[backend, kind, "convolutional" if convolutions else "dense"]


def table() -> list[dict[str, str]]:
    """Every row of the table as text, for `zoo doctor`."""
    rows = {**TABLE, ("tensorflow", "cpu", "dense, bfloat16"): MATRIX_UNITS, ("tensorflow", "several", "any"): MIRRORED}
    keys = ("backend", "device", "networks", "policy", "reason")
    return [dict(zip(keys, (*key, rows[key].summary, rows[key].reason), strict=True)) for key in sorted(rows)]
