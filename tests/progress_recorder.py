"""A progress reporter for tests, which keeps what is reported to it."""

from zoo.base.progress import Silent


class ProgressRecorder(Silent):
    """Keeps each line in `notes`, and each count of other work than training in `counts` as (what, done, total)."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.counts: list[tuple[str, int, int]] = []

    def note(self, text: str) -> None:
        self.notes.append(text)

    def counting(self, what: str, done: int, total: int) -> None:
        self.counts.append((what, done, total))
