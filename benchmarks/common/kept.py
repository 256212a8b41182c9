"""What is kept of a comparison: its reports, and the samples of each variant's run with the median score."""

import json
import shutil
from pathlib import Path
from urllib.parse import quote

from zoo.comparison.report.reading import datasets_of, runs_of
from zoo.comparison.report.sample_pictures import pictures_of

REPORTS = ("report.html", "report.md", "scores.csv", "comparison.json")
PICTURES = ("*.webp", "*.png")
BY_HAND = "report.webp"  # a picture of the page itself
SAFE = "/+,="  # in addresses, as the report has them


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
            stem = (label if len(datasets) == 1 else f"{label} on {dataset}").replace("/", "_")
            (into / f"{stem}.{picture.kind}").write_bytes(picture.content)
            of_run = next(
                each["picture"] for each in runs_of(comparison, dataset, label) if each["seed"] == picture.seed
            )
            page = page.replace(f"]({quote(of_run, safe=SAFE)})", f"]({quote(f'{stem}.{picture.kind}', safe=SAFE)})")
    (into / "report.md").write_text(page, encoding="utf-8")
