"""The loop over datasets that sanity and bias share: each dataset has a report and a plot of its own."""

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from zoo.backend import prepare

from . import report as reports
from .samples import Measurer, Splits, add_options, opened

Report = Mapping[str, Any]


def report_on_each(
    module: str,
    arguments: argparse.Namespace,
    content: Callable[[Splits, Measurer, argparse.Namespace], dict[str, Any]],
    markdown: Callable[[Report], str],
    plot: Callable[[Report, Path], None],
) -> None:
    """Measures every requested dataset; `content` returns the report's data beside dataset and extractor."""
    prepare()
    measurer = Measurer.of(arguments)
    for wanted in arguments.dataset or ["fashion_mnist"]:
        splits = opened(wanted, arguments.data_dir)
        known = {"seed": arguments.seed, "extractor": measurer.record, "dataset": splits.record}
        report = reports.begun(module) | known | content(splits, measurer, arguments)
        name = f"{module}-{splits.file_name}"
        reports.write(reports.ended(report), markdown(report), arguments.out, name)
        plot(report, arguments.out / f"{name}.png")


def parser_of(description: str | None, seed: str) -> argparse.ArgumentParser:
    """The options of both commands; `seed` is the help text of --seed."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser)
    parser.add_argument("--seed", type=int, default=0, help=seed)
    parser.add_argument("--out", type=Path, default=reports.RESULTS, help="the folder for the results")
    return parser
