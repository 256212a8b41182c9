"""Plain PyTorch in the manner of the public zoos: eager, a DataLoader, both losses from logits, `detach`, `zero_grad`.

The DataLoader has as many workers as made the first steps fastest. With `reuse`, the fakes of the discriminator's
update serve the generator's too, as many zoos do: a pass of the generator less than the algorithm has.
"""

import time
from collections.abc import Iterator
from typing import Any

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

from ..cases import LATENTS, Case, RMSprop
from ..contenders import Options
from ..data import random_images
from .on_torch import DEVICE, device_memory, device_name, multiplication, versions, wait
from .torch_networks import build_discriminator, build_generator, parameters

__all__ = ["Eager", "build", "device_memory", "device_name", "multiplication", "versions"]

TRIAL_STEPS = 10  # steps with each number of workers
LOSSES_EVERY = 50  # steps; reading a loss waits for the device


class Images(Dataset[torch.Tensor]):
    """Images as torchvision's ToTensor and Normalize((.5,), (.5,)) give them."""

    def __init__(self, images: Any) -> None:
        self.images = images

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> torch.Tensor:
        image = torch.from_numpy(self.images[index]).permute(2, 0, 1).contiguous()
        return image.to(torch.float32).div_(255).sub_(0.5).div_(0.5)


class Eager:
    """The training loop."""

    def __init__(self, case: Case, options: Options) -> None:
        torch.backends.cudnn.benchmark = True
        self.case = case
        self.reuse = options.spec.reuse
        self.generator = build_generator(case).to(DEVICE)
        self.discriminator = build_discriminator(case).to(DEVICE)
        self.generator_optimizer = build_optimizer(case, self.generator)
        self.discriminator_optimizer = build_optimizer(case, self.discriminator)
        self.cross_entropy = nn.BCEWithLogitsLoss()
        self.real_labels = torch.ones(case.batch, 1, device=DEVICE)
        self.fake_labels = torch.zeros(case.batch, 1, device=DEVICE)
        self.parameters = parameters(self.generator, self.discriminator)
        self.images = Images(random_images(case))
        self.steps = 0
        self.losses: dict[str, float] = {}
        workers = self.fastest_loading(sorted({0, 2, max(2, options.threads // 2)}))
        self.batches = self.endless(workers)
        self.notes = [f"DataLoader(num_workers={workers})"]

    def fastest_loading(self, choices: list[int]) -> int:
        """The number of workers with which a few steps take the least time, after some to warm up."""
        seconds = {}
        for workers in choices:
            self.batches = self.endless(workers)
            self.train(TRIAL_STEPS)
            began = time.perf_counter()
            self.train(TRIAL_STEPS)
            seconds[workers] = time.perf_counter() - began
        return min(choices, key=seconds.__getitem__)

    def endless(self, workers: int) -> Iterator[torch.Tensor]:
        """Epoch after epoch."""
        loader = DataLoader(
            self.images,
            batch_size=self.case.batch,
            shuffle=True,
            drop_last=True,
            num_workers=workers,
            persistent_workers=workers > 0,
            pin_memory=DEVICE.type == "cuda",
        )
        while True:
            yield from loader

    def train(self, steps: int) -> dict[str, float]:
        """Train; the losses are the last that were read."""
        for _ in range(steps):
            self.step()
        wait()
        return dict(self.losses)

    def step(self) -> None:
        """The critic's updates, then the generator's."""
        for _ in range(self.case.critic_steps):
            real = next(self.batches).to(DEVICE, non_blocking=True)
            fake = self.generator(self.noise())
            critic_loss = self.train_discriminator(real, fake.detach())
        generator_loss = self.train_generator(fake if self.reuse else self.generator(self.noise()))
        self.steps += 1
        if self.steps % LOSSES_EVERY == 1:
            self.losses = {"discriminator": critic_loss.item(), "generator": generator_loss.item()}

    def train_discriminator(self, real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
        """One update on real images and as many fakes."""
        self.discriminator.zero_grad()
        real_logits, fake_logits = self.discriminator(real), self.discriminator(fake)
        if self.case.loss == "wasserstein":
            loss = fake_logits.mean() - real_logits.mean()
        elif self.case.loss == "hinge":
            loss = torch.relu(1 - real_logits).mean() + torch.relu(1 + fake_logits).mean()
        else:
            loss = self.cross_entropy(real_logits, self.real_labels) + self.cross_entropy(fake_logits, self.fake_labels)
        if self.case.penalty:
            loss = loss + self.case.penalty * gradient_penalty(self.discriminator, real, fake)
        loss.backward()
        self.discriminator_optimizer.step()
        if self.case.clip:
            for weight in self.discriminator.parameters():
                weight.data.clamp_(-self.case.clip, self.case.clip)
        return loss.detach()

    def train_generator(self, fake: torch.Tensor) -> torch.Tensor:
        """One update."""
        self.generator.zero_grad()
        logits = self.discriminator(fake)
        loss = self.cross_entropy(logits, self.real_labels) if self.case.loss == "cross-entropy" else -logits.mean()
        loss.backward()
        self.generator_optimizer.step()
        return loss.detach()

    def noise(self) -> torch.Tensor:
        """Latents (B, Z)."""
        return torch.randn(self.case.batch, LATENTS, device=DEVICE)


def build(case: Case, options: Options) -> Eager:
    """The case's training."""
    return Eager(case, options)


def build_optimizer(case: Case, network: nn.Module) -> torch.optim.Optimizer:
    """One player's."""
    chosen = case.optimizer
    if isinstance(chosen, RMSprop):
        return torch.optim.RMSprop(network.parameters(), chosen.rate, alpha=chosen.rho, eps=chosen.epsilon)
    betas = (chosen.beta_1, chosen.beta_2)
    return torch.optim.Adam(network.parameters(), chosen.rate, betas=betas, eps=chosen.epsilon)


def gradient_penalty(discriminator: nn.Module, real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
    """How far the slope between real and fake images is from 1."""
    share = torch.rand(len(real), 1, 1, 1, device=real.device)
    between = (share * real + (1 - share) * fake).requires_grad_(True)
    logits = discriminator(between)
    (slopes,) = torch.autograd.grad(logits, between, torch.ones_like(logits), create_graph=True)
    return ((slopes.flatten(1).norm(2, dim=1) - 1) ** 2).mean()
