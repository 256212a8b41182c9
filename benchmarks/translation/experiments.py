"""What is trained, on what, for how long, and what it is put beside."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

L1_ALONE = {"l1_weight": 1e6}  # beside which the GAN's loss is nothing; Adam does not see the scale
SMALL: Mapping[str, Any] = {
    "width": 16, "batch_size": 16, "generator_learning_rate": 5e-4, "discriminator_learning_rate": 5e-4,
}  # fmt: skip
SMALL_CYCLES: Mapping[str, Any] = {
    "width": 12, "residual_blocks": 3, "batch_size": 8, "generator_learning_rate": 1e-3,
    "discriminator_learning_rate": 1e-3,
}  # fmt: skip
SMALL_UPSCALING: Mapping[str, Any] = {
    "width": 16, "residual_blocks": 4, "batch_size": 16, "generator_learning_rate": 1e-3,
    "discriminator_learning_rate": 1e-3, "pixel_weight": 1.0,
}  # fmt: skip
PHOTOGRAPHS = "photographs"
FALLING = {"horizon": 1.0}  # learning rates fall over the whole budget


@dataclass(frozen=True)
class Trained:
    """One run; `shares` are settings in images, as shares of the budget."""

    name: str
    stack: str
    dataset: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    shares: Mapping[str, float] = field(default_factory=dict)

    def settings_for(self, images: int) -> dict[str, Any]:
        """The recipe's values at a budget."""
        return {**self.settings, **{name: round(share * images) for name, share in self.shares.items()}}

    def command(self, images: int) -> str:
        """What trains it by hand."""
        words = ["zoo", "run", self.stack, "--dataset", self.dataset, "--images", str(images)]
        settings = self.settings_for(images).items()
        return shlex.join(words + [word for item in settings for word in ("--set", "=".join(map(str, item)))])


@dataclass(frozen=True)
class Experiment:
    """Runs and baselines on one task; baselines see the sources of the first run."""

    title: str
    trained: tuple[Trained, ...]
    baselines: tuple[str, ...]
    images: int  # of each run, for about ten minutes of one core


def paired(stack: str, dataset: str) -> tuple[Trained, ...]:
    """pix2pix, and its generator without a GAN."""
    return (
        Trained("pix2pix", stack, dataset, SMALL),
        Trained("U-Net by L1 alone", stack, dataset, {**SMALL, **L1_ALONE}),
    )


def photographs(dataset: str, name: str) -> Experiment:
    """Colours on a dataset, CIFAR-10 unless another is given."""
    return Experiment(
        f"Colours of gray photographs, {name}", paired("pix2pix+gray", dataset), ("copy", "mean colour"), 100_000
    )


EXPERIMENTS = {
    "edges": Experiment(
        "Garments from their edges", paired("pix2pix+edges", "fashion_mini"), ("copy", "mean colour"), 120_000
    ),
    "emoji": Experiment("Twemoji to Noto Emoji, pairs", paired("pix2pix", "emoji"), ("copy", "mean colour"), 100_000),
    "upscaling": Experiment(
        "Garments of 28 pixels from 7",
        (
            Trained("srgan", "srgan", "fashion_mini", SMALL_UPSCALING, {**FALLING, "pretraining": 0.5}),
            Trained(
                "SRResNet by squared error alone",
                "srgan",
                "fashion_mini",
                SMALL_UPSCALING,
                {**FALLING, "pretraining": 1.0},
            ),
        ),
        ("bicubic", "mean colour"),
        80_000,
    ),
    "gray": Experiment("Colours of gray emoji", paired("pix2pix+gray", "emoji"), ("copy", "mean colour"), 100_000),
    "emoji_unpaired": Experiment(
        "Twemoji to Noto Emoji without pairs",
        (
            Trained("cut", "cut", "emoji_unpaired", SMALL_CYCLES, FALLING),
            Trained("cyclegan", "cyclegan", "emoji_unpaired", SMALL_CYCLES, FALLING),
        ),
        ("copy", "mean colour"),
        36_000,
    ),
    PHOTOGRAPHS: photographs("cifar10", "CIFAR-10"),
}
