"""The suite as pytest collects it, and as a function."""

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo import backend
from zoo.errors import ZooError

if TYPE_CHECKING:  # they import Keras
    from zoo.data.fields import Field
    from zoo.testing.subject import Subject

Shape = tuple[int, ...]
IMAGES = ((28, 28, 1),)
OF_KERAS = "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
"""A warning of NumPy's about how Keras reads TensorFlow's variables; a plugin's author can't mend it."""


def contract(
    *plugins: Path | str,
    stack: str | None = None,
    shapes: Iterable[Shape] = IMAGES,
    classes: int | None = None,
    fields: "Mapping[str, Shape | Field] | None" = None,
    settings: Mapping[str, Any] | None = None,
) -> Callable[..., None]:
    """A test function for a module of tests, of which pytest makes one test for each check on each shape.

    `plugins` are files, found beside the test's own; a plugin that is installed or registered needs none. `stack`
    defaults to the last plugin alone. `shapes` are those of samples: (H, W, C) of images, (D,) of points. `classes`
    says how many the random data has, `fields` what else it holds by name and shape. `settings` are recipe values, such
    as small widths, that make it quick.
    """
    import pytest

    test_file = sys._getframe(1).f_globals.get("__file__")  # of whoever calls
    files = [beside(each, test_file) for each in plugins]
    subjects = subjects_of(files, stack, shapes, classes, fields, settings)
    from zoo.testing.checks import CHECKS
    from zoo.testing.subject import NotApplicableError, NotTrainedError

    cases = [(subject, name) for subject in subjects for name in CHECKS]

    @pytest.mark.filterwarnings(OF_KERAS)
    @pytest.mark.parametrize(
        ("subject", "check"), cases, ids=lambda each: each if isinstance(each, str) else shape_of(each)
    )
    def test(subject: "Subject", check: str) -> None:
        __tracebackhide__ = True
        try:
            CHECKS[check](subject)
        except (NotApplicableError, NotTrainedError) as reason:
            pytest.skip(str(reason))

    return test


def check_plugin(
    *plugins: Path | str,
    stack: str | None = None,
    shapes: Iterable[Shape] = IMAGES,
    classes: int | None = None,
    fields: "Mapping[str, Shape | Field] | None" = None,
    settings: Mapping[str, Any] | None = None,
) -> list[str]:
    """Run every check without pytest, with the arguments of `contract`; returns the names of those that held.

    Raises what the first check raises that does not hold: an AssertionError, or the ZooError that a user would get.
    """
    files = [beside(each, None) for each in plugins]
    subjects = subjects_of(files, stack, shapes, classes, fields, settings)
    from zoo.testing.checks import CHECKS
    from zoo.testing.subject import NotApplicableError

    held = []
    for subject in subjects:
        for name, check in CHECKS.items():
            try:
                check(subject)
            except NotApplicableError:
                continue
            held.append(f"{name} [{shape_of(subject)}]")
    return held


def beside(plugin: Path | str, test: str | None) -> Path:
    """The plugin's file: as it is given, or in the folder of the test."""
    folder = Path(test).parent if test else Path()
    return (folder / plugin).resolve()


def subjects_of(
    files: Sequence[Path],
    stack: str | None,
    shapes: Iterable[Shape],
    classes: int | None,
    fields: "Mapping[str, Shape | Field] | None",
    settings: Mapping[str, Any] | None,
) -> "list[Subject]":
    """One subject for each shape."""
    if not (files or stack):
        raise ZooError("Say what is to be checked: contract('my_gan.py'), or contract(stack='variant+my_gan').")
    backend.prepare()  # before Keras imports the backend, loudly
    from zoo.testing.subject import Subject

    text = stack or files[-1].stem
    return [Subject(text, tuple(shape), files, classes, fields or {}, settings or {}) for shape in shapes]


def shape_of(subject: "Subject") -> str:
    """`28x28x1`, for the name of a test."""
    return "x".join(map(str, subject.shape))
