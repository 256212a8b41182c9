"""Stacks of plugins that make no sense together are refused with the reason, before anything is trained."""

from collections.abc import Callable

import pytest

from zoo import ZooError
from zoo.errors import ZooWarning
from zoo.training.trainer import Trainer

IMAGES, POINTS = (16, 16, 1), (2,)
TAKEN_FOR_REALISM = ("r1", "r2", "zero_gp", "dragan", "logan", "top_k", "lecam", "minibatch_discrimination")


@pytest.mark.parametrize(
    ("stack", "shape", "message"),
    [
        ("dcgan+mmd_gan+hinge", IMAGES, r"'mmd_gan' brings a discriminator for its own loss .*family mmd.*\(hinge\)"),
        ("vanilla+cramer_gan+lsgan", POINTS, "'cramer_gan' brings a discriminator for its own loss"),
        ("dcgan+ebgan+hinge", IMAGES, "'ebgan' brings a discriminator for its own loss"),
        ("began+hinge", IMAGES, "'began' brings a discriminator for its own loss"),
        *[(f"vanilla+{vectors}+{each}", POINTS, f"'{each}' needs logits that tell real from generated")
          for vectors in ("mmd_gan", "cramer_gan") for each in TAKEN_FOR_REALISM],
        ("vanilla+minibatch_discrimination+mmd_gan", POINTS, "'minibatch_discrimination' has lost its layer"),
        ("dcgan+pacgan+diffaugment", IMAGES, r"Put it below: \.\.\.\+diffaugment\+pacgan"),
        ("vanilla+pacgan+instance_noise", POINTS, r"Put it below: \.\.\.\+instance_noise\+pacgan"),
        ("dcgan+logan+virtual_batch_norm", IMAGES, "'logan' brings latents of its own"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(
    stack: str, shape: tuple[int, ...], message: str, make_stack: Callable, tiny_dataset: Callable
) -> None:
    with pytest.raises(ZooError, match=message):
        Trainer(make_stack(stack, *(["horizon=64"] if "noise" in stack else [])), tiny_dataset(shape))


@pytest.mark.parametrize("penalty", ["r1", "r2", "zero_gp", "dragan", "wgan_gp"])
def test_two_bounds_of_the_slope_are_warned_of(penalty: str, make_stack: Callable, tiny_dataset: Callable) -> None:
    with pytest.warns(ZooWarning, match=f"by spectral normalization and by the penalty of '{penalty}'"):
        Trainer(make_stack(f"vanilla+{penalty}", "discriminator_normalization=spectral"), tiny_dataset(POINTS))
