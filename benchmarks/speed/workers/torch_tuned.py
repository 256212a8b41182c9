"""Plain PyTorch as one who knows it tunes it.

channels_last, gradients of the other player switched off, fused optimizers, fakes of the discriminator's update made
without a graph, uint8 images on the device from which batches are gathered and normalized there, TF32 for all products
on a GPU, autocast to bfloat16 and torch.compile where the contender says so.
"""

from typing import Any

import torch
from torch import nn
from torch.nn import functional

from ..cases import LATENTS, Case, RMSprop
from ..contenders import Options
from ..data import random_images
from .on_torch import DEVICE, device_memory, device_name, multiplication, versions, wait
from .torch_networks import build_discriminator, build_generator, parameters

__all__ = ["Tuned", "build", "device_memory", "device_name", "multiplication", "versions"]


class Tuned:
    """The training loop."""

    def __init__(self, case: Case, options: Options, compiled: bool) -> None:
        torch.backends.cudnn.benchmark = True
        torch.set_float32_matmul_precision("high")
        self.case = case
        self.autocast = torch.autocast(DEVICE.type, torch.bfloat16, enabled=options.spec.precision == "bfloat16")
        self.networks = [each(case).to(DEVICE, memory_format=torch.channels_last) for each in BUILDERS]
        self.parameters = parameters(*self.networks)
        self.generator_optimizer, self.discriminator_optimizer = (build_optimizer(case, each) for each in self.networks)
        self.generator, self.discriminator = (torch.compile(each) if compiled else each for each in self.networks)
        self.ones, self.zeros = (make(case.batch, 1, device=DEVICE) for make in (torch.ones, torch.zeros))
        self.images = torch.from_numpy(random_images(case)).to(DEVICE)
        self.position, self.order = len(self.images), torch.empty(0)
        self.losses: dict[str, torch.Tensor] = {}
        self.notes = ["all but the penalty compiled" if case.penalty else "compiled"] if compiled else []

    def train(self, steps: int) -> dict[str, float]:
        """Train; the losses are those of the last step."""
        for _ in range(steps):
            self.step()
        wait()
        return {name: loss.item() for name, loss in self.losses.items()}

    def step(self) -> None:
        """The critic's updates, then the generator's."""
        discriminator = self.networks[1]
        discriminator.requires_grad_(True)
        for _ in range(self.case.critic_steps):
            critic_loss = self.train_discriminator(self.real())
        discriminator.requires_grad_(False)
        self.losses = {"discriminator": critic_loss, "generator": self.train_generator()}

    def train_discriminator(self, real: torch.Tensor) -> torch.Tensor:
        """One update on real images and as many fakes."""
        with self.autocast:
            with torch.no_grad():
                fake = self.generator(self.noise())
            loss = self.discriminator_loss(self.discriminator(real).float(), self.discriminator(fake).float())
            if self.case.penalty:
                loss = loss + self.case.penalty * self.gradient_penalty(real, fake)
        self.discriminator_optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.discriminator_optimizer.step()
        if self.case.clip:
            with torch.no_grad():
                weights = list(self.networks[1].parameters())
                torch._foreach_clamp_min_(weights, -self.case.clip)
                torch._foreach_clamp_max_(weights, self.case.clip)
        return loss.detach()

    def discriminator_loss(self, real_logits: torch.Tensor, fake_logits: torch.Tensor) -> torch.Tensor:
        """Without the penalty."""
        if self.case.loss == "wasserstein":
            return fake_logits.mean() - real_logits.mean()
        if self.case.loss == "hinge":
            return torch.relu(1 - real_logits).mean() + torch.relu(1 + fake_logits).mean()
        real = functional.binary_cross_entropy_with_logits(real_logits, self.ones)
        return real + functional.binary_cross_entropy_with_logits(fake_logits, self.zeros)

    def train_generator(self) -> torch.Tensor:
        """One update."""
        with self.autocast:
            logits = self.discriminator(self.generator(self.noise())).float()
            is_critic = self.case.loss != "cross-entropy"
            loss = -logits.mean() if is_critic else functional.binary_cross_entropy_with_logits(logits, self.ones)
        self.generator_optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.generator_optimizer.step()
        return loss.detach()

    def gradient_penalty(self, real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
        """How far the slope between real and fake images is from 1; torch.compile can't differentiate twice."""
        share = torch.rand(len(real), 1, 1, 1, device=DEVICE)
        between = torch.lerp(fake.float(), real, share).requires_grad_(True)
        logits = self.networks[1](between).float()
        (slopes,) = torch.autograd.grad(logits.sum(), between, create_graph=True)
        return (slopes.flatten(1).norm(2, dim=1) - 1).square().mean()

    def real(self) -> torch.Tensor:
        """The next batch in [-1, 1], (B, C, H, W) with channels last in memory."""
        if self.position + self.case.batch > len(self.images):
            self.position, self.order = 0, torch.randperm(len(self.images), device=DEVICE)
        chosen = self.order[self.position : self.position + self.case.batch]
        self.position += self.case.batch
        return self.images[chosen].permute(0, 3, 1, 2).to(torch.float32).div_(127.5).sub_(1)

    def noise(self) -> torch.Tensor:
        """Latents (B, Z)."""
        return torch.randn(self.case.batch, LATENTS, device=DEVICE)


BUILDERS: tuple[Any, Any] = (build_generator, build_discriminator)


def build(case: Case, options: Options) -> Tuned:
    """The case's training; uncompiled, and saying so, where torch.compile fails."""
    if options.spec.compiled:
        tuned = Tuned(case, options, compiled=True)
        try:
            tuned.step()
            return tuned
        except Exception as error:
            reason = f"torch.compile failed: {type(error).__name__}: {error}".splitlines()[0][:150]
            tuned = Tuned(case, options, compiled=False)
            tuned.notes.append(reason)
            return tuned
    return Tuned(case, options, compiled=False)


def build_optimizer(case: Case, network: nn.Module) -> torch.optim.Optimizer:
    """One player's, all weights in one call."""
    chosen = case.optimizer
    if isinstance(chosen, RMSprop):
        return torch.optim.RMSprop(
            network.parameters(), chosen.rate, alpha=chosen.rho, eps=chosen.epsilon, foreach=True
        )
    betas = (chosen.beta_1, chosen.beta_2)
    return torch.optim.Adam(network.parameters(), chosen.rate, betas=betas, eps=chosen.epsilon, fused=True)
