"""Floating-point operations that a training step needs, from the layers alone: 2 for each multiplication and addition.

Counted are matrix products and convolutions, which are all but everything; not normalizations, activations, optimizers.
A pass of a layer forwards, its gradient by its inputs and its gradient by its weights cost the same each.
"""

from dataclasses import dataclass
from itertools import pairwise

from .cases import LATENTS, Case

KERNEL = 5 * 5  # pixels


@dataclass(frozen=True)
class Macs:
    """Multiply-adds of one sample's forward pass: of the whole network, and of its first layer."""

    all: int
    first: int


def networks(case: Case) -> tuple[Macs, Macs]:
    """The passes of generator and discriminator."""
    return dense_networks(case) if case.units else convolutional_networks(case)


def dense_networks(case: Case) -> tuple[Macs, Macs]:
    """The passes of perceptrons: a product of widths for each layer."""
    generator = [before * after for before, after in pairwise((LATENTS, *case.units, case.pixels))]
    discriminator = [before * after for before, after in pairwise((case.pixels, *reversed(case.units), 1))]
    return Macs(sum(generator), generator[0]), Macs(sum(discriminator), discriminator[0])


def convolutional_networks(case: Case) -> tuple[Macs, Macs]:
    """A strided convolution costs kernel x channels in x channels out at each position of its smaller map."""
    sides = [case.shape[0] // 2 ** (layer + 1) for layer in range(len(case.channels))]
    pairs = pairwise((case.shape[-1], *case.channels))
    convolutions = [KERNEL * outer * inner * side**2 for (outer, inner), side in zip(pairs, sides, strict=True)]
    features = case.base**2 * case.channels[-1]
    generator = Macs(LATENTS * features + sum(convolutions), LATENTS * features)
    return generator, Macs(sum(convolutions) + features, convolutions[0])


def flops_per_image(case: Case) -> float:
    """FLOPs a real image: its share of the discriminator's update and of the generator's."""
    generator, discriminator = networks(case)
    return 2 * (
        discriminator_update(case, generator, discriminator)
        + generator_update(generator, discriminator) / case.critic_steps
    )


def discriminator_update(case: Case, generator: Macs, discriminator: Macs) -> int:
    """Fakes forwards; real and fake forwards, by weights and by inputs, but not by the images themselves."""
    both = 2 * (3 * discriminator.all - discriminator.first)
    return generator.all + both + (penalty(case, discriminator) if case.penalty else 0)


def penalty(case: Case, discriminator: Macs) -> int:
    """Forwards and by inputs, and the same again for the gradient of that gradient by weights.

    Where a normalization makes the gradient depend on the activations, one more way back through them.
    """
    smooth = 2 * discriminator.all - discriminator.first if case.normalization != "none" else 0
    return 4 * discriminator.all + smooth


def generator_update(generator: Macs, discriminator: Macs) -> int:
    """Both forwards, back through the discriminator by inputs alone, and the generator by weights and inputs."""
    return 2 * discriminator.all + 3 * generator.all - generator.first
