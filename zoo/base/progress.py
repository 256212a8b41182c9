"""Progress of long work: a bar on stderr in a terminal, a widget in a notebook, plain lines elsewhere, or nothing."""

import sys
import time
from collections.abc import Mapping
from typing import Any, Protocol

from tqdm import tqdm

from zoo.base.output import SteadyStream, steady_stderr, steady_stdout

PLAIN_SECONDS = 10.0  # seconds between plain lines
SHOWN_LOSSES = ("discriminator_loss", "generator_loss")


class Progress(Protocol):
    """Receives the progress of training, step by step, and of other long work."""

    def start(self, first: int, total: int | None, images_per_step: int) -> None:
        """Training begins at step `first` and goes to step `total`, or, where that is None, until its time is up."""

    def step(self, step: int, metrics: Mapping[str, float]) -> None:
        """Step number `step` is finished, with its losses by name."""

    def note(self, text: str) -> None:
        """Prints a line of text, such as where a report was written."""

    def counting(self, what: str, done: int, total: int) -> None:
        """Other work than training, called `what`: `done` of `total` items are finished."""

    def stop(self) -> None:
        """Training ended, for whatever reason."""


class Silent:
    """Reports nothing."""

    def start(self, first: int, total: int | None, images_per_step: int) -> None:
        pass

    def step(self, step: int, metrics: Mapping[str, float]) -> None:
        pass

    def note(self, text: str) -> None:
        pass

    def counting(self, what: str, done: int, total: int) -> None:
        pass

    def stop(self) -> None:
        pass


class Bar(Silent):
    """A bar that is drawn again and again, by tqdm: images/s, losses, time left.

    It is a line of the stream, stderr unless another is given, and in a notebook that has ipywidgets a widget.
    """

    bar: tqdm | None = None  # the bar of training
    counted: tqdm | None = None  # the bar of other work, while that goes on

    def __init__(self, stream: SteadyStream | None = None) -> None:
        self.stream = stream or steady_stderr()

    def drawn(self, **what: Any) -> tqdm:
        """A new bar, of the kind that suits where it is shown."""
        from tqdm.auto import tqdm  # which is decided, and takes its time, when it is imported

        return tqdm(unit_scale=True, dynamic_ncols=True, mininterval=0.5, file=self.stream, **what)

    def start(self, first: int, total: int | None, images_per_step: int) -> None:
        self.images_per_step = images_per_step
        self.bar = self.drawn(
            total=None if total is None else total * images_per_step,
            initial=first * images_per_step,
            unit="image",
        )

    def step(self, step: int, metrics: Mapping[str, float]) -> None:
        if self.bar is not None:
            self.bar.set_postfix_str(f"step {step}, {losses_text(metrics)}", refresh=False)
            self.bar.update(self.images_per_step)

    def note(self, text: str) -> None:
        tqdm.write(text, file=self.stream)

    def counting(self, what: str, done: int, total: int) -> None:
        """Draws a second bar, which is closed once `done` reaches `total`."""
        if self.counted is None or self.counted.desc != what:
            self.close_counted()
            self.counted = self.drawn(total=total, desc=what)
        self.counted.update(done - self.counted.n)
        if done >= total:
            self.close_counted()

    def close_counted(self) -> None:
        """Closes the bar of other work where it stands: skipped items may keep it below its total."""
        if self.counted is not None:
            self.counted.close()
            self.counted = None

    def stop(self) -> None:
        self.close_counted()
        if self.bar is not None:
            self.bar.close()


class Lines(Silent):
    """A plain line every ten seconds, for logs."""

    counted: tuple[str, float] = ("", 0.0)  # the name of the other work, and when it was last reported
    shown = False  # whether a line about that work was printed yet

    def __init__(self) -> None:
        self.stderr = steady_stderr()

    def start(self, first: int, total: int | None, images_per_step: int) -> None:
        self.first, self.total, self.images_per_step = first, total, images_per_step
        self.began = self.printed = time.monotonic()

    def step(self, step: int, metrics: Mapping[str, float]) -> None:
        """Prints a line when ten seconds have passed since the last one, and at the last step."""
        now = time.monotonic()
        if now - self.printed < PLAIN_SECONDS and step != self.total:
            return
        self.printed = now
        per_second = (step - self.first) / max(now - self.began, 1e-9)
        speed = f"{per_second * self.images_per_step:.0f} images/s"
        if self.total is None:
            self.note(f"step {step}, {speed}, {losses_text(metrics)}")
            return
        left = tqdm.format_interval((self.total - step) / per_second)
        self.note(f"step {step}/{self.total} ({step / self.total:.0%}), {speed}, {left} left, {losses_text(metrics)}")

    def counting(self, what: str, done: int, total: int) -> None:
        """Prints a line every ten seconds, and a last one at the end of work that took longer than that."""
        now = time.monotonic()
        if self.counted[0] != what:
            self.counted, self.shown = (what, now), False
        last = done >= total and self.shown
        if now - self.counted[1] >= PLAIN_SECONDS or last:
            self.counted, self.shown = (what, now), True
            self.note(f"{what}: {done:,} of {total:,} ({done / total:.0%})")

    def note(self, text: str) -> None:
        print(text, file=self.stderr, flush=True)


def losses_text(metrics: Mapping[str, float]) -> str:
    """`discriminator_loss 1.281, generator_loss 0.777`."""
    return ", ".join(f"{name} {metrics[name]:.3f}" for name in SHOWN_LOSSES if name in metrics)


def as_progress(requested: Progress | bool, shown: bool = True) -> Progress:
    """A given reporter as it is; True becomes one for whoever looks on if `shown` allows it, False a silent one."""
    if not isinstance(requested, bool):
        return requested
    return for_onlookers() if requested and shown else Silent()


def for_onlookers() -> Progress:
    """A `Bar` in a notebook (on stdout, for stderr is shown in red there) or a terminal, `Lines` elsewhere."""
    if in_notebook():
        return Bar(steady_stdout())
    return Bar() if steady_stderr().isatty() else Lines()


def in_notebook() -> bool:
    """Whether a Jupyter kernel runs this process."""
    ipython = sys.modules.get("IPython")
    return ipython is not None and getattr(ipython.get_ipython(), "kernel", None) is not None
