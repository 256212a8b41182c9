"""The contenders: the zoo on both backends in both precisions, and the peers."""

from dataclasses import dataclass
from typing import Literal, Protocol

OURS_TENSORFLOW, OURS_JAX = "ours-tensorflow", "ours-jax"
KERAS_FIT, TORCH_EAGER, TORCH_TUNED = "keras-fit", "torch-eager", "torch-tuned"


@dataclass(frozen=True)
class Spec:
    """A contender: a module of `workers`, and its options."""

    name: str
    label: str
    module: str
    backend: str = ""  # Keras' backend
    precision: Literal["float32", "bfloat16"] = "float32"
    reuse: bool = False  # whether the generator's update reuses the fakes of the discriminator's
    compiled: bool = False  # whether the peer compiles, which its library does not do by default

    @property
    def is_torch(self) -> bool:
        """Whether it runs in the interpreter that has PyTorch."""
        return self.module.startswith("torch")


@dataclass(frozen=True)
class Options:
    """A contender's options, apart from its case."""

    spec: Spec
    threads: int


class Contender(Protocol):
    """A training that advances by any number of steps."""

    parameters: tuple[int, int]
    """Numbers of trainable parameters of the generator and of the discriminator."""
    notes: list[str]
    """Notes for readers on how it was run."""

    def train(self, steps: int) -> dict[str, float]:
        """Trains that many steps, and waits until they are computed; returns the last losses."""


CONTENDERS = {
    spec.name: spec
    for spec in (
        Spec(OURS_TENSORFLOW, "zoo, TensorFlow", "ours", "tensorflow"),
        Spec(f"{OURS_TENSORFLOW}-bf16", "zoo, TensorFlow, bfloat16", "ours", "tensorflow", "bfloat16"),
        Spec(OURS_JAX, "zoo, JAX", "ours", "jax"),
        Spec(f"{OURS_JAX}-bf16", "zoo, JAX, bfloat16", "ours", "jax", "bfloat16"),
        Spec(KERAS_FIT, "Keras `fit`, as in the examples of keras.io", "keras_fit", "tensorflow"),
        Spec(f"{KERAS_FIT}-xla", "Keras `fit`, jit_compile=True", "keras_fit", "tensorflow", compiled=True),
        Spec(TORCH_EAGER, "PyTorch eager, DataLoader", "torch_eager"),
        Spec(f"{TORCH_EAGER}-reuse", "PyTorch eager, DataLoader, one batch of fakes a step", "torch_eager", reuse=True),
        Spec(TORCH_TUNED, "PyTorch tuned", "torch_tuned"),
        Spec(f"{TORCH_TUNED}-bf16", "PyTorch tuned, autocast", "torch_tuned", precision="bfloat16"),
        Spec(
            f"{TORCH_TUNED}-compiled",
            "PyTorch tuned, autocast, torch.compile",
            "torch_tuned",
            precision="bfloat16",
            compiled=True,
        ),
    )
}
ON_CPU = [name for name in CONTENDERS if not name.endswith(("-compiled", "-xla"))]
ON_GPU = [name for name in CONTENDERS if "tensorflow" not in name and not name.startswith(KERAS_FIT)]
