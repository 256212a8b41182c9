"""What is kept of a comparison: its reports, and the samples of each variant's run with the median score."""

import json
import shutil
from pathlib import Path

from zoo.comparison.report.markdown import address
from zoo.comparison.report.reading import datasets_of, runs_of
from zoo.comparison.report.sample_pictures import pictures_of

REPORTS = ("report.html", "report.md", "scores.csv", "comparison.json")
PICTURES = ("*.webp", "*.png")
BY_HAND = "report.webp"  # a picture of the page itself


def keep(folder: Path, into: Path) -> None:
    """Copy a comparison's reports, and its samples as small pictures, in the place of what was kept before."""
    into.mkdir(parents=True, exist_ok=True)
    for old in (path for pattern in PICTURES for path in into.glob(pattern) if path.name != BY_HAND):
        old.unlink()
    for name in REPORTS:
        shutil.copyfile(folder / name, into / name)
    comparison = json.loads((folder / "comparison.json").read_text(encoding="utf-8"))
    page, datasets = (into / "report.md").read_text(encoding="utf-8"), datasets_of(comparison)
    for dataset in datasets:
        for picture in pictures_of(comparison, dataset, folder):
            label = picture.variant.label
            name = f"{stem_of(label, dataset, len(datasets))}.{picture.kind}"
            (into / name).write_bytes(picture.content)
            of_run = next(
                each["picture"] for each in runs_of(comparison, dataset, label) if each["seed"] == picture.seed
            )
            page = page.replace(f"]({address(of_run)})", f"]({address(name)})")
    (into / "report.md").write_text(page, encoding="utf-8")


def stem_of(label: str, dataset: str, datasets: int) -> str:
    """The name, without its ending, of the picture of a variant in a comparison on so many datasets."""
    return (label if datasets == 1 else f"{label} on {dataset}").replace("/", "_")
