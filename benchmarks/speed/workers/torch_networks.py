"""The networks of a case in PyTorch, as public zoos write them.

The same layers, sizes and initial weights as the zoo's. PyTorch pads a strided convolution on the other side, so that
equal weights compute the mirror image.
"""

from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from ..cases import LATENTS, NORMALIZATION_EPSILON, SLOPE, WEIGHT_DEVIATION, Case

KERNEL, STRIDE, PADDING = 5, 2, 2  # pixels


def build_generator(case: Case) -> nn.Module:
    """Latents (B, Z) to images (B, C, H, W)."""
    if case.units:
        return perceptron(nn.Sequential(*dense_generator(case)))
    inner, *outer = reversed(case.channels)
    layers: list[nn.Module] = [
        nn.Linear(LATENTS, case.base**2 * inner, bias=False),
        nn.Unflatten(1, (inner, case.base, case.base)),
    ]
    before = inner
    for channels in outer:
        layers += [batch_normalization(before), nn.ReLU(inplace=True)]
        layers += [nn.ConvTranspose2d(before, channels, KERNEL, STRIDE, PADDING, output_padding=1, bias=False)]
        before = channels
    layers += [batch_normalization(before), nn.ReLU(inplace=True)]
    layers += [nn.ConvTranspose2d(before, case.shape[-1], KERNEL, STRIDE, PADDING, output_padding=1), nn.Tanh()]
    return nn.Sequential(*layers).apply(initialize)


def build_discriminator(case: Case) -> nn.Module:
    """Images (B, C, H, W) to logits (B, 1)."""
    if case.units:
        return perceptron(nn.Sequential(*dense_discriminator(case)))
    layers: list[nn.Module] = []
    before = case.shape[-1]
    for number, channels in enumerate(case.channels):
        layers.append(held(initialized(nn.Conv2d(before, channels, KERNEL, STRIDE, PADDING)), case))
        if number:
            layers += normalization(case, channels)
        layers.append(nn.LeakyReLU(SLOPE, inplace=True))
        before = channels
    layers += [nn.Flatten(), held(initialized(nn.Linear(before * case.base**2, 1)), case)]
    return nn.Sequential(*layers)


def held(layer: nn.Module, case: Case) -> nn.Module:
    """The layer, spectrally normalized where the case is: every layer of a discriminator."""
    return spectral_norm(layer) if case.normalization == "spectral" else layer


def dense_generator(case: Case) -> list[nn.Module]:
    """A perceptron with batch normalization."""
    layers: list[nn.Module] = []
    before = LATENTS
    for units in case.units:
        normalized = nn.BatchNorm1d(units, eps=NORMALIZATION_EPSILON, momentum=0.1)
        layers += [nn.Linear(before, units), normalized, nn.ReLU(inplace=True)]
        before = units
    height, width, channels = case.shape
    return [*layers, nn.Linear(before, case.pixels), nn.Tanh(), nn.Unflatten(1, (channels, height, width))]


def dense_discriminator(case: Case) -> list[nn.Module]:
    """A perceptron with dropout."""
    layers: list[nn.Module] = [nn.Flatten()]
    before = case.pixels
    for units in reversed(case.units):
        layers += [nn.Linear(before, units), nn.LeakyReLU(SLOPE, inplace=True), nn.Dropout(case.dropout)]
        before = units
    return [*layers, nn.Linear(before, 1)]


def normalization(case: Case, channels: int) -> list[nn.Module]:
    """The discriminator's: one group is a layer normalization with a scale for each channel."""
    if case.normalization == "batch":
        return [initialized(batch_normalization(channels))]
    layer = nn.GroupNorm(1, channels, eps=NORMALIZATION_EPSILON)
    return [initialized(layer)] if case.normalization == "layer" else []


def batch_normalization(channels: int) -> nn.Module:
    """With the papers' momentum and epsilon."""
    return nn.BatchNorm2d(channels, eps=NORMALIZATION_EPSILON, momentum=0.1)


def initialize(module: nn.Module) -> None:
    """The DCGAN paper's initial weights."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
        nn.init.normal_(module.weight, 0.0, WEIGHT_DEVIATION)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, nn.BatchNorm2d | nn.GroupNorm):
        nn.init.normal_(module.weight, 1.0, WEIGHT_DEVIATION)


def initialized(module: nn.Module) -> nn.Module:
    """The layer with those weights."""
    initialize(module)
    return module


def perceptron(network: nn.Sequential) -> nn.Sequential:
    """With the initial weights that Keras gives dense layers."""
    for module in network:
        if isinstance(module, nn.Linear):
            nn.init.xavier_uniform_(module.weight)
            nn.init.zeros_(module.bias)
    return network


def parameters(*networks: nn.Module) -> tuple[int, ...]:
    """Trainable numbers of each network."""
    return tuple(sum(each.numel() for each in network.parameters()) for network in networks)
