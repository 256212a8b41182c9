"""The DCGAN of PyTorch's examples with its own recipe, eager.

As the example: latents of 100 as a map of one pixel, kernels of 4, BatchNorm but for first and last layers, ReLU and
LeakyReLU of 0.2, tanh, a sigmoid and cross-entropy, weights from N(0, 0.02) and N(1, 0.02), Adam at 2e-4 with a first
momentum of 0.5, batches of 64, the discriminator on real and generated images in two passes. Its images have 64 pixels,
five layers and 64 channels at full size; ours 28 pixels and three layers, whose outer ones are the example's.
"""

import numpy as np
import torch
from torch import nn

from benchmarks.speedrun.peers.pausing import given, train

LATENTS = 100
CHANNELS = 64
BATCH = 64
RATE, MOMENTA = 2e-4, (0.5, 0.999)
DEVIATION = 0.02  # of initial weights


def generator() -> nn.Module:
    """Latents (B, 100, 1, 1) to images (B, 1, 28, 28) in [-1, 1]."""
    return nn.Sequential(
        nn.ConvTranspose2d(LATENTS, 2 * CHANNELS, 7, 1, 0, bias=False),
        nn.BatchNorm2d(2 * CHANNELS),
        nn.ReLU(True),
        nn.ConvTranspose2d(2 * CHANNELS, CHANNELS, 4, 2, 1, bias=False),
        nn.BatchNorm2d(CHANNELS),
        nn.ReLU(True),
        nn.ConvTranspose2d(CHANNELS, 1, 4, 2, 1, bias=False),
        nn.Tanh(),
    ).apply(initialize)


def discriminator() -> nn.Module:
    """Images (B, 1, 28, 28) to a probability of being real, (B, 1, 1, 1)."""
    return nn.Sequential(
        nn.Conv2d(1, CHANNELS, 4, 2, 1, bias=False),
        nn.LeakyReLU(0.2, inplace=True),
        nn.Conv2d(CHANNELS, 2 * CHANNELS, 4, 2, 1, bias=False),
        nn.BatchNorm2d(2 * CHANNELS),
        nn.LeakyReLU(0.2, inplace=True),
        nn.Conv2d(2 * CHANNELS, 1, 7, 1, 0, bias=False),
        nn.Sigmoid(),
    ).apply(initialize)


def initialize(layer: nn.Module) -> None:
    """The example's weights."""
    if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(layer.weight, 0.0, DEVIATION)
    elif isinstance(layer, nn.BatchNorm2d):
        nn.init.normal_(layer.weight, 1.0, DEVIATION)
        nn.init.zeros_(layer.bias)


def main() -> None:
    """Trains as long as the coordinator wishes."""
    asked = given()
    torch.manual_seed(asked["seed"])
    images = torch.from_numpy(np.load(asked["images"])[:, None].astype("float32") / 127.5 - 1)
    loader = torch.utils.data.DataLoader(images, batch_size=BATCH, shuffle=True, drop_last=True)
    makes, judges, loss = generator(), discriminator(), nn.BCELoss()
    rules = [torch.optim.Adam(each.parameters(), lr=RATE, betas=MOMENTA) for each in (judges, makes)]
    batches = iter(loader)
    ones, zeros = torch.ones(BATCH), torch.zeros(BATCH)

    def step() -> None:
        nonlocal batches
        real = next(batches, None)
        if real is None:
            batches = iter(loader)
            real = next(batches)
        judges.zero_grad()
        loss(judges(real).view(-1), ones).backward()
        fake = makes(torch.randn(BATCH, LATENTS, 1, 1))
        loss(judges(fake.detach()).view(-1), zeros).backward()
        rules[0].step()
        makes.zero_grad()
        loss(judges(fake).view(-1), ones).backward()
        rules[1].step()

    def draw(number: int) -> np.ndarray:
        latents = torch.randn(number, LATENTS, 1, 1, generator=torch.Generator().manual_seed(1))
        makes.eval()
        with torch.no_grad():
            drawn = torch.cat([makes(each) for each in latents.split(500)])
        makes.train()
        return ((drawn + 1) * 127.5).round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).numpy()

    train(step, draw, BATCH, asked)


if __name__ == "__main__":
    main()
