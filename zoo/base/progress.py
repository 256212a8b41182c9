"""Progress of long work on stderr: a bar in a terminal, plain lines elsewhere, nothing when it is not wanted."""

import sys
import time
from collections.abc import Mapping
from typing import Protocol

from tqdm import tqdm

PLAIN_SECONDS = 10.0  # between plain lines
SHOWN = ("discriminator_loss", "generator_loss")


class Progress(Protocol):
    """What a training loop tells, step by step."""

    def start(self, first: int, total: int | None, images_per_step: int) -> None:
        """Training goes on from step `first` to `total`, or for as long as its budget of time lasts."""

    def step(self, step: int, metrics: Mapping[str, float]) -> None:
        """A step is finished."""

    def note(self, text: str) -> None:
        """Something happened that is worth a line."""

    def counting(self, what: str, done: int, total: int) -> None:
        """Other work than training: `done` of `total` are finished."""

    def stop(self) -> None:
        """Training ended, for whatever reason."""


class Silent:
    """Tells nothing."""

    def start(self, first: int, total: int | None, images_per_step: int) -> None:
        """Nothing."""

    def step(self, step: int, metrics: Mapping[str, float]) -> None:
        """Nothing."""

    def note(self, text: str) -> None:
        """Nothing."""

    def counting(self, what: str, done: int, total: int) -> None:
        """Nothing."""

    def stop(self) -> None:
        """Nothing."""


class Bar(Silent):
    """One line that is drawn again and again, by tqdm: images/s, losses, time left."""

    bar: tqdm | None = None  # of training
    counted: tqdm | None = None  # of other work, while it goes on

    def start(self, first: int, total: int | None, images_per_step: int) -> None:
        """Draw the bar."""
        self.images_per_step = images_per_step
        self.bar = tqdm(
            total=None if total is None else total * images_per_step,
            initial=first * images_per_step,
            unit="image",
            unit_scale=True,
            dynamic_ncols=True,
            mininterval=0.5,
        )

    def step(self, step: int, metrics: Mapping[str, float]) -> None:
        """Move it."""
        if self.bar is not None:
            self.bar.set_postfix_str(f"step {step}, {described(metrics)}", refresh=False)
            self.bar.update(self.images_per_step)

    def note(self, text: str) -> None:
        """Print above it."""
        tqdm.write(text, file=sys.stderr)

    def counting(self, what: str, done: int, total: int) -> None:
        """A bar of its own, until all is done."""
        if self.counted is None or self.counted.desc != what:
            self.close_counted()
            self.counted = tqdm(total=total, desc=what, unit_scale=True, dynamic_ncols=True, mininterval=0.5)
        self.counted.update(done - self.counted.n)
        if done >= total:
            self.close_counted()

    def close_counted(self) -> None:
        """Leave the bar of other work as it is; what was left out may keep it below its total."""
        if self.counted is not None:
            self.counted.close()
            self.counted = None

    def stop(self) -> None:
        """Leave them as they are."""
        self.close_counted()
        if self.bar is not None:
            self.bar.close()


class Lines(Silent):
    """A plain line every ten seconds, for logs."""

    counted: tuple[str, float] = ("", 0.0)  # what other work goes on, and when it was last told
    shown = False  # whether a line of it was printed yet

    def start(self, first: int, total: int | None, images_per_step: int) -> None:
        """Remember where it begins."""
        self.first, self.total, self.images_per_step = first, total, images_per_step
        self.began = self.printed = time.monotonic()

    def step(self, step: int, metrics: Mapping[str, float]) -> None:
        """Print when it is time, and at the end."""
        now = time.monotonic()
        if now - self.printed < PLAIN_SECONDS and step != self.total:
            return
        self.printed = now
        per_second = (step - self.first) / max(now - self.began, 1e-9)
        speed = f"{per_second * self.images_per_step:.0f} images/s"
        if self.total is None:
            self.note(f"step {step}, {speed}, {described(metrics)}")
            return
        left = tqdm.format_interval((self.total - step) / per_second)
        self.note(f"step {step}/{self.total} ({step / self.total:.0%}), {speed}, {left} left, {described(metrics)}")

    def counting(self, what: str, done: int, total: int) -> None:
        """Print when it is time, and at the end of what took that long."""
        now = time.monotonic()
        if self.counted[0] != what:
            self.counted, self.shown = (what, now), False
        last = done >= total and self.shown
        if now - self.counted[1] >= PLAIN_SECONDS or last:
            self.counted, self.shown = (what, now), True
            self.note(f"{what}: {done:,} of {total:,} ({done / total:.0%})")

    def note(self, text: str) -> None:
        """Print it."""
        print(text, file=sys.stderr, flush=True)


def described(metrics: Mapping[str, float]) -> str:
    """The losses in a few characters."""
    return ", ".join(f"{name} {metrics[name]:.3f}" for name in SHOWN if name in metrics)


def telling(wanted: Progress | bool, shown: bool = True) -> Progress:
    """What was given; for True what suits stderr, for False nothing, and nothing either where it is not to be shown."""
    if not isinstance(wanted, bool):
        return wanted
    return for_stderr() if wanted and shown else Silent()


def for_stderr() -> Progress:
    """A bar where stderr is a terminal, lines elsewhere."""
    return Bar() if sys.stderr.isatty() else Lines()
