"""Values of a recipe that change while a run stands still: `--change key=value`, kept in run.yaml with their steps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zoo.base.plain_data import plain
from zoo.errors import ZooError
from zoo.recipe import Recipe, Setting, as_text

if TYPE_CHECKING:
    from zoo.training.updates import Since

CHANGE = "--change"
CHANGES = "changes"  # in run.yaml


@dataclass(frozen=True)
class Changes:
    """What run.yaml says has changed, and what is to change now."""

    recorded: Sequence[Mapping[str, Any]] = ()  # each with `step`, `images` and `recipe`: field to {from, to}
    wanted: Sequence[Setting] = ()

    @classmethod
    def of(cls, before: Mapping[str, Any] | None, wanted: Sequence[Setting]) -> "Changes":
        """The changes of a run whose run.yaml holds `before`; raises ZooError where there is none to change."""
        if wanted and before is None:
            raise ZooError("--change is for a run that goes on, and this one has not begun: use --set.")
        return cls((before or {}).get(CHANGES, []), wanted)

    @property
    def settings(self) -> list[Setting]:
        """Every value that has changed or is to change, the later ones last."""
        old = [Setting(name, each["to"], CHANGE) for change in self.recorded for name, each in change["recipe"].items()]
        return [*old, *self.wanted]

    @property
    def first(self) -> dict[str, Any]:
        """The values that the changed fields began with."""
        found: dict[str, Any] = {}
        for change in self.recorded:
            for name, each in change["recipe"].items():
                found.setdefault(name, each["from"])
        return found

    def check_typed(self, typed: Recipe) -> None:
        """Raise ZooError where the command sets a changed field to neither what it began with nor what it is now."""
        now = {each.field: each.value for each in self.settings}
        for name, began in self.first.items():
            value = plain(getattr(typed, name))
            if value not in (began, now[name]):
                raise ZooError(
                    f"'{name}' began as {began} and was changed to {now[name]}; the command sets it to {value}. To "
                    f"change it again: --change {name}={as_text(value)}."
                )

    def entry(self, before: Recipe, now: Recipe, step: int, since: "Since") -> dict[str, Any] | None:
        """What is written of the new changes at a step; None where nothing differs."""
        names = dict.fromkeys(each.field for each in self.wanted)
        pairs = {name: (plain(getattr(before, name)), plain(getattr(now, name))) for name in names}
        differing = {name: {"from": old, "to": new} for name, (old, new) in pairs.items() if old != new}
        if not differing:
            return None
        return {"step": step, "images": int(since.images_at(step, before)), "recipe": differing}

    @property
    def since(self) -> "Since":
        """From where images are counted."""
        from zoo.training.updates import BEGINNING, Since

        return Since(self.recorded[-1]["step"], self.recorded[-1]["images"]) if self.recorded else BEGINNING


def described(changes: Sequence[Mapping[str, Any]]) -> list[str]:
    """`beta_1=0.9 from step 100`, for each changed value."""
    return [
        f"{name}={as_text(each['to'])} from step {change['step']}"
        for change in changes
        for name, each in change["recipe"].items()
    ]
