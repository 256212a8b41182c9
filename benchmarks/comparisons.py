"""Run benchmarks of `zoo compare`, and keep of each what documents show: its report, its numbers, its samples.

python -m benchmarks.comparisons ring8 grid25 fashion-mini losses -- --jobs 2

What follows `--` goes to `zoo compare`. Interrupted, the same command continues; `--keep` compares nothing, and
keeps what is there. Pictures are those of the run with the median score, of each variant.
"""

import argparse
import subprocess
import sys
from pathlib import Path

from benchmarks.common.kept import keep
from benchmarks.common.processes import ROOT

RESULTS = ROOT / "benchmarks" / "results" / "comparisons"


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


if __name__ == "__main__":
    main()
