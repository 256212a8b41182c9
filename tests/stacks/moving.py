"""Latent optimization in small (Wu et al. 2019): latents move along the gradient of their logits first."""

from collections.abc import Callable
from typing import Any

from zoo import hookimpl

RATE = 0.1


@hookimpl
def move_latents(
    latents: Any, generate: Callable[..., Any], discriminate: Callable[..., Any], gradients: Callable[..., Any]
) -> Any:
    """z + .1 grad D(G(z)), which the losses differentiate through."""
    return latents + RATE * gradients(lambda moved: discriminate(generate(moved)), latents)
