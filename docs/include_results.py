"""Puts what benchmarks/results has measured into docs/translation.md and docs/augmentation.md; what is not there, not.

python -m docs.include_results; a test says when it is to be run again.
"""

import json
from collections.abc import Iterator
from pathlib import Path

from benchmarks.augmentation import report as augmentation
from benchmarks.translation import report as translation
from benchmarks.translation.experiments import EXPERIMENTS

ROOT = Path(__file__).resolve().parents[1]
BEGIN, END = "<!-- results: docs.include_results writes what follows -->\n", "<!-- end of results -->\n"
HEADING = "###"


def main() -> None:
    """Both pages."""
    for name, text in pages(ROOT).items():
        (ROOT / "docs" / name).write_text(text, encoding="utf-8")


def pages(root: Path) -> dict[str, str]:
    """The pages by name, as they should be."""
    results = root / "benchmarks" / "results"
    sections = {
        "translation.md": translations(results / "translation"),
        "augmentation.md": augmentations(results / "augmentation"),
    }
    return {
        name: with_results((root / "docs" / name).read_text(encoding="utf-8"), "\n".join(found))
        for name, found in sections.items()
    }


def with_results(page: str, found: str) -> str:
    """A page whose part between the marks is what was found."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    between = f"\n## Measured\n\n{found}\n" if found else ""
    return f"{before}{BEGIN}{between}{END}{after}"


def translations(folder: Path) -> Iterator[str]:
    """Of each experiment that has come to its end, in their order."""
    for name in EXPERIMENTS:
        file = folder / f"{name}.json"
        if file.exists() and "columns" in (report := json.loads(file.read_text())):
            yield translation.markdown(report, HEADING, "../benchmarks/results/translation/")


def augmentations(folder: Path) -> Iterator[str]:
    """What there is of every dataset."""
    for file in sorted(folder.glob("*/augmentation.json")):
        place = f"../benchmarks/results/augmentation/{file.parent.name}/"
        yield augmentation.markdown(json.loads(file.read_text()), HEADING, place)


if __name__ == "__main__":
    main()
