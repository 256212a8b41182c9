"""The cases that are trained, with every hyperparameter that a peer must share with the zoo's recipe."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import prod
from typing import Literal

LATENTS = 100  # Z
SLOPE = 0.2  # negative slope of every leaky ReLU
NORMALIZATION_EPSILON = 1e-5
WEIGHT_DEVIATION = 0.02  # standard deviation of convolutional networks' initial weights
IMAGES = 8192  # uniformly random images in memory
WIDEST = 8  # the most channels, as a multiple of the width


@dataclass(frozen=True)
class Adam:
    """Adam for both players."""

    rate: float
    beta_1: float
    beta_2: float
    epsilon: float = 1e-8


@dataclass(frozen=True)
class RMSprop:
    """RMSprop for both players; its epsilon is added to the root, as PyTorch does, not under it."""

    rate: float
    rho: float = 0.99
    epsilon: float = 1e-8


@dataclass(frozen=True)
class Case:
    """One training: networks, batch, losses, optimizer. `width` is None for multilayer perceptrons."""

    name: str
    stack: str
    shape: tuple[int, int, int]  # H, W, C
    batch: int
    optimizer: Adam | RMSprop
    width: int | None = None  # channels at half the image's size
    loss: Literal["cross-entropy", "wasserstein", "hinge"] = "cross-entropy"
    critic_steps: int = 1
    normalization: Literal["none", "batch", "layer", "spectral"] = "batch"  # the discriminator's normalization
    dropout: float = 0.0  # the discriminator's dropout rate
    units: tuple[int, ...] = ()  # units of the perceptron's generator; the discriminator's are reversed
    clip: float = 0.0
    penalty: float = 0.0

    @property
    def settings(self) -> list[str]:
        """The recipe values that make the zoo's stack this case, each `key=value`."""
        return [f"batch_size={self.batch}"] + ([f"width={self.width}"] if self.width else [])

    @property
    def images_per_step(self) -> int:
        """Real images that the discriminator consumes in a step."""
        return self.batch * self.critic_steps

    @property
    def pixels(self) -> int:
        """The number of values in one image."""
        return prod(self.shape)

    @property
    def base(self) -> int:
        """The side of the smallest feature map, pixels."""
        return 7 if self.shape[0] == 28 else 4

    @property
    def channels(self) -> tuple[int, ...]:
        """Channels of the feature maps from the image inwards; each layer halves the side."""
        layers = (self.shape[0] // self.base).bit_length() - 1
        return tuple((self.width or 0) * min(2**layer, WIDEST) for layer in range(layers))


VANILLA = Case(
    name="vanilla-28-b128",
    stack="vanilla",
    shape=(28, 28, 1),
    batch=128,
    optimizer=Adam(2e-4, 0.5, 0.999),
    normalization="none",
    dropout=0.3,
    units=(256, 512, 1024),
)
DCGAN = Case("dcgan-32-b64", "dcgan", (32, 32, 3), 64, Adam(2e-4, 0.5, 0.999), width=64)
WGAN = replace(
    DCGAN, name="wgan-32-b64", stack="wgan", optimizer=RMSprop(5e-5), loss="wasserstein", critic_steps=5, clip=0.01
)
WGAN_GP = replace(
    WGAN,
    name="wgan-gp-32-b64",
    stack="wgan-gp",
    optimizer=Adam(1e-4, 0.0, 0.9),
    normalization="layer",
    clip=0.0,
    penalty=10.0,
)
SN_HINGE = replace(
    DCGAN,
    name="sn-hinge-32-b64",
    stack="hinge",
    loss="hinge",
    normalization="spectral",
    optimizer=replace(DCGAN.optimizer, beta_1=0.0, beta_2=0.9),
)
# The paper's DCGAN at 64 pixels has a width of 128, which would take four times as long on a CPU.
CASES = {
    case.name: case
    for case in (
        VANILLA,
        DCGAN,
        replace(DCGAN, name="dcgan-64-b64", shape=(64, 64, 3)),
        replace(DCGAN, name="dcgan-64-b128", shape=(64, 64, 3), batch=128),
        replace(DCGAN, name="dcgan-64-b128-w128", shape=(64, 64, 3), batch=128, width=128),
        WGAN,
        WGAN_GP,
        SN_HINGE,
        replace(WGAN_GP, name="wgan-gp-32-b64-w128", width=128),
    )
}
BATCHES = (16, 32, 64, 128, 256, 512)


def batch_cases(case: Case, batches: Iterable[int]) -> list[Case]:
    """The case with each batch size."""
    return [replace(case, name=f"{case.name.rpartition('-b')[0]}-b{batch}", batch=batch) for batch in batches]


def tiny(case: Case) -> Case:
    """A tiny version of the case, which shows that everything runs."""
    return replace(case, batch=8, width=case.width and 4, units=tuple(8 for _ in case.units))
