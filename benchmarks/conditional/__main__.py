"""Trains every conditional variant with one budget, and measures class accuracy and KID.

    python -m benchmarks.conditional [--only NAME ...] [--dataset NAME] [--images N] [--samples N]
        [--set FIELD=VALUE ...] [--data-dir DIR] [--runs FOLDER] [--out FOLDER]

InfoGAN's codes are matched to classes first (codes.py). What was measured is kept after each variant, and not measured
again; a run that is there goes on.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common.machine import commit, machine
from benchmarks.conditional.report import markdown
from zoo.backend import prepare

VARIANTS = ("cgan", "acgan", "infogan", "cgan-projection", "biggan", "tacgan", "contragan", "reacgan")
OF_CODES = "infogan"
COLUMNS = 10  # samples of a class on a sheet
METRICS = ("kid", "class-accuracy")


def main() -> None:
    """Every variant that is asked for."""
    prepare()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=VARIANTS, default=VARIANTS)
    parser.add_argument("--dataset", default="fashion_mini")
    parser.add_argument("--images", type=int, default=300_000, help="That each discriminator sees.")
    parser.add_argument("--samples", type=int, default=2_000, help="That each score is of.")
    parser.add_argument("--set", nargs="+", default=[], metavar="FIELD=VALUE", help="In all variants.")
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--runs", type=Path, default=Path("runs/conditional"))
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/conditional"))
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    path = arguments.out / "conditional.json"
    settings = {name: getattr(arguments, name) for name in ("dataset", "images", "samples", "set")}
    report = json.loads(path.read_text()) if path.exists() else {"settings": settings, "rows": {}}
    if report["settings"] != settings:
        raise SystemExit(f"{path} was measured with other settings: choose another --out.")
    for name in [each for each in arguments.only if each not in report["rows"]]:
        report["rows"][name] = measured(name, arguments)
        report |= {"machine": machine(0), "commit": commit(), "date": time.strftime("%Y-%m-%d")}
        path.write_text(json.dumps(report, indent=1) + "\n")
        (arguments.out / "conditional.md").write_text(markdown(report))
    print(markdown(report))


def measured(name: str, arguments: argparse.Namespace) -> dict[str, Any]:
    """A variant's scores by name, and the seconds of its training; its sheet is written beside the table."""
    import zoo
    from zoo.base.pictures import grid, save_picture

    run = zoo.run(
        name,
        dataset=arguments.dataset,
        data_dir=arguments.data_dir,
        budget=zoo.Budget(images=arguments.images),
        settings=dict(each.split("=", 1) for each in arguments.set),
        out=arguments.runs / name,
    )
    classes = len(run.fields["labels"].frequencies)
    metrics = METRICS[:1] if name == OF_CODES else METRICS
    options = zoo.EvaluationOptions(
        metrics, arguments.samples, extractor="efficientnet-lite0", data_dir=arguments.data_dir
    )
    [evaluation] = zoo.evaluate(run, options=options)
    scores = {score["name"]: score for score in evaluation["scores"]}
    asked = np.repeat(np.arange(classes, dtype="int32"), COLUMNS)
    if name == OF_CODES:
        from benchmarks.conditional.codes import accuracy_of_codes

        codes, found = accuracy_of_codes(run, arguments.samples, classes, arguments.data_dir)
        scores |= found
        conditions = {"code": codes[asked]}
    else:
        conditions = {"labels": asked}
    save_picture(grid(run.sample(len(asked), conditions=conditions), COLUMNS), arguments.out / f"{name}.png")
    return {"seconds": run.metrics[-1]["seconds"], "scores": scores}


if __name__ == "__main__":
    main()
