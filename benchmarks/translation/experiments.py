"""What is trained, on what, for how long, and what it is put beside."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

L1_ALONE = {"l1_weight": 1e6}  # beside which the GAN's loss is nothing; Adam does not see the scale
SMALL: Mapping[str, Any] = {
    "width": 32, "batch_size": 16, "generator_learning_rate": 5e-4, "discriminator_learning_rate": 5e-4,
}  # fmt: skip
SMALL_CYCLES: Mapping[str, Any] = {
    "width": 16, "residual_blocks": 4, "batch_size": 8, "generator_learning_rate": 5e-4,
    "discriminator_learning_rate": 5e-4,
}  # fmt: skip


@dataclass(frozen=True)
class Trained:
    """One run."""

    name: str
    stack: str
    dataset: str
    settings: Mapping[str, Any] = field(default_factory=dict)

    def command(self, images: int) -> str:
        """What trains it by hand."""
        words = ["zoo", "run", self.stack, "--dataset", self.dataset, "--images", str(images)]
        return shlex.join(
            words + [word for item in self.settings.items() for word in ("--set", "=".join(map(str, item)))]
        )


@dataclass(frozen=True)
class Experiment:
    """Runs and baselines on one task; baselines see the sources of the first run."""

    title: str
    trained: tuple[Trained, ...]
    baselines: tuple[str, ...]
    images: int


EXPERIMENTS = {
    "edges": Experiment(
        "Garments from their edges",
        (
            Trained("pix2pix", "pix2pix+edges", "fashion_mini", SMALL),
            Trained("U-Net by L1 alone", "pix2pix+edges", "fashion_mini", {**SMALL, **L1_ALONE}),
        ),
        ("copy", "mean colour"),
        300_000,
    ),
    "gray": Experiment(
        "Colours of gray photographs, CIFAR-10",
        (
            Trained("pix2pix", "pix2pix+gray", "cifar10", SMALL),
            Trained("U-Net by L1 alone", "pix2pix+gray", "cifar10", {**SMALL, **L1_ALONE}),
        ),
        ("copy", "mean colour"),
        500_000,
    ),
    "emoji": Experiment(
        "Twemoji to Noto Emoji",
        (
            Trained("pix2pix", "pix2pix", "emoji", SMALL),
            Trained("U-Net by L1 alone", "pix2pix", "emoji", {**SMALL, **L1_ALONE}),
            Trained("cyclegan, unpaired", "cyclegan", "emoji_unpaired", SMALL_CYCLES),
            Trained("cut, unpaired", "cut", "emoji_unpaired", SMALL_CYCLES),
        ),
        ("copy", "mean colour"),
        200_000,
    ),
    "upscaling": Experiment(
        "Garments of 28 pixels from 7",
        (
            Trained("srgan", "srgan", "fashion_mini", {"horizon": 300_000}),
            Trained("SRResNet by squared error alone", "srgan", "fashion_mini", {"pretraining": 10**9}),
        ),
        ("bicubic", "mean colour"),
        300_000,
    ),
}
