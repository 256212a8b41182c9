"""Which directions of latents change samples most; `generate` maps latents (N, Z) to samples (N, ...)."""

from collections.abc import Callable

import numpy as np

Array = np.ndarray
STEP = 1e-2  # of central differences by latents, whose own size is about 1
TINY = 1e-12


def jacobian(generate: Callable[[Array], Array], latent: Array, step: float = STEP) -> Array:
    """The generator's Jacobian at one latent (Z,), (values of a sample, Z), by central differences."""
    shifts = step * np.eye(len(latent))
    both = np.concatenate([latent + shifts, latent - shifts]).astype("float32")
    made = np.asarray(generate(both), "float64").reshape(len(both), -1)
    return np.asarray((made[: len(latent)] - made[len(latent) :]).T / (2 * step))


def singular_directions(matrix: Array) -> tuple[Array, Array]:
    """Singular values, the largest first, and the latent directions that belong to them, as rows (K, Z)."""
    _, values, directions = np.linalg.svd(matrix, full_matrices=False)
    return values, directions


def conditioning(values: Array) -> float:
    """The largest singular value over the smallest: how unevenly directions of the latents move a sample."""
    return float(values[0] / max(values[-1], TINY))


def sefa(kernel: Array) -> tuple[Array, Array]:
    """Eigenvalues and directions (Z, Z), as rows, of a first layer's kernel (Z, units), the largest first.

    Closed-form factorization (Shen and Zhou 2020, arXiv:2007.06600, equation 4): unit directions n with large |A n|.
    """
    values, vectors = np.linalg.eigh(np.asarray(kernel, "float64") @ np.asarray(kernel, "float64").T)
    return values[::-1], vectors[:, ::-1].T


def ganspace(latents: Array, activations: Array, count: int) -> tuple[Array, Array]:
    """Shares of variance and directions (count, Z), as unit rows, of principal components of activations (N, ...).

    Härkönen et al. 2020, arXiv:2004.02546, section 2.2: the latents are regressed on the components' coordinates.
    """
    flat = np.asarray(activations, "float64").reshape(len(activations), -1)
    centred = flat - flat.mean(axis=0)
    left, values, _ = np.linalg.svd(centred, full_matrices=False)
    coordinates = left[:, :count] * values[:count]
    own = np.asarray(latents, "float64") - np.mean(latents, axis=0)
    directions, *_ = np.linalg.lstsq(coordinates, own, rcond=None)
    norms = np.maximum(np.linalg.norm(directions, axis=1, keepdims=True), TINY)
    return values[:count] ** 2 / max(float(np.sum(values**2)), TINY), directions / norms


def label_direction(latents: Array, labels: Array, penalty: float = 1e-3) -> Array:
    """The unit direction (Z,) along which 0/1 labels (N,) of latents rise, by ridge regression."""
    own = np.asarray(latents, "float64") - np.mean(latents, axis=0)
    wanted = np.asarray(labels, "float64") - np.mean(labels)
    weights = np.linalg.solve(own.T @ own + penalty * len(own) * np.eye(own.shape[1]), own.T @ wanted)
    return np.asarray(weights / max(float(np.linalg.norm(weights)), TINY))


def strip(latent: Array, direction: Array, reach: float, count: int) -> Array:
    """Latents (count, Z) on the line through a latent, from -reach to reach along a unit direction."""
    return np.asarray(latent + np.linspace(-reach, reach, count)[:, None] * direction, "float32")
