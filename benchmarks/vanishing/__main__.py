"""Follows the generator's gradient under each loss, and checks it against what the theory expects.

    python -m benchmarks.vanishing [--variant vanilla] [--dataset fashion_mini] [--steps N ...] [--updates N]
                                   [--set KEY=VALUE ...] [--out FOLDER]

Interrupted, the same command continues. Writes the diagnosis into runs/vanishing, and its plots, `vanishing.json` and
`vanishing.md` into FOLDER. Exits with 1 where an expectation does not hold.
"""

import argparse
import shlex
import shutil
import sys
import time
from pathlib import Path

import zoo
from benchmarks.common.machine import commit, machine
from benchmarks.common.tables import table
from benchmarks.vanishing.expectations import checks
from zoo.base.files import write_json

HERE = Path("benchmarks/results/vanishing")


def main() -> None:
    """Measures, checks, prints and writes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--variant", default="vanilla")
    parser.add_argument("--dataset", default="fashion_mini")
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--steps", type=int, nargs="+", default=[0, 500])
    parser.add_argument("--updates", type=int, default=1000)
    parser.add_argument("--set", dest="settings", action="append", default=[])
    parser.add_argument("--out", type=Path, help=f"[{HERE}/VARIANT-DATASET]")
    given = parser.parse_args()
    name = f"{given.variant}-{given.dataset}"
    folder, out = Path("runs/vanishing") / name, given.out or HERE / name
    found = zoo.diagnose(
        given.variant, dataset=given.dataset, data_dir=given.data_dir, settings=given.settings, out=folder,
        procedure=zoo.Procedure(steps=given.steps, updates=given.updates),
    )  # fmt: skip
    rows = [
        (str(steps), *check)
        for steps in given.steps
        for check in checks({each["objective"]: each for each in found["verdicts"] if each["trained"] == steps})
    ]
    command = shlex.join(["python", "-m", "benchmarks.vanishing", *sys.argv[1:]])
    made = f"`{command}`, {time.strftime('%Y-%m-%d')}, {machine(1)['processor']}, commit {commit()}."
    written = table(
        ["trained steps", "expectation", "first to last", "holds"],
        [[steps, expectation, measured, "yes" if holds else "NO"] for steps, expectation, holds, measured in rows],
    )
    out.mkdir(parents=True, exist_ok=True)
    (out / "vanishing.md").write_text(f"# The generator's gradient\n\n{made}\n\n{written}\n")
    kept = {name: each for name, each in found.items() if name not in ("measurements", "folder")}
    write_json(out / "vanishing.json", {"command": command, "machine": machine(1), "commit": commit(), **kept})
    for picture in folder.glob("*.png"):
        shutil.copy(picture, out / picture.name)
    print(written)
    sys.exit(0 if all(holds for _, _, holds, _ in rows) else 1)


if __name__ == "__main__":
    main()
