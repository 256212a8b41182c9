"""Run benchmarks of `zoo compare`, and keep of each what documents show: its report, its numbers, its samples.

python -m benchmarks.comparisons ring8 grid25 fashion-mini losses -- --jobs 2

What follows `--` goes to `zoo compare`. Interrupted, the same command continues; `--keep` compares nothing, and
keeps what is there. Pictures are those of the run with the median score, of each variant.
"""

import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

from benchmarks.common.processes import ROOT
from zoo.comparison.report.reading import datasets_of, runs_of
from zoo.comparison.report.sample_pictures import pictures_of

RESULTS = ROOT / "benchmarks" / "results" / "comparisons"
REPORTS = ("report.html", "report.md", "scores.csv", "comparison.json")
PICTURES = ("*.webp", "*.png")
BY_HAND = "report.webp"  # a picture of the page itself
SAFE = "/+,="  # in addresses, as the report has them


def main() -> None:
    """Compares, and keeps."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("benchmarks", nargs="+", metavar="BENCHMARK", help="of `zoo list benchmarks`")
    parser.add_argument("--folder", type=Path, default=Path("comparisons"), help="where `zoo compare` writes")
    parser.add_argument("--keep", action="store_true", help="compare nothing, keep what is there")
    words = sys.argv[1:]
    cut = words.index("--") if "--" in words else len(words)
    given = parser.parse_args(words[:cut])
    for name in given.benchmarks:
        folder = given.folder / name
        if not given.keep:
            command = ["zoo", "compare", "--benchmark", name, "--out", str(folder), *words[cut + 1 :]]
            subprocess.run([sys.executable, "-m", *command], check=True)
        keep(folder, RESULTS / name)


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


if __name__ == "__main__":
    main()
