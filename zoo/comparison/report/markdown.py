"""report.md: the tables and sentences of the HTML page for a README; names given by users are escaped."""

from collections.abc import Iterator, Sequence
from urllib.parse import quote

from zoo.comparison.report.facts import facts_of, measured_of
from zoo.comparison.report.markdown_text import code, escaped, grid
from zoo.comparison.report.published import Published, published_of
from zoo.comparison.report.reading import (
    Comparison,
    datasets_of,
    deciding_score,
    headlines,
    middle_run,
    ranking_of,
    runs_of,
    scores_of,
    variants_of,
)
from zoo.comparison.report.tables.pairs import Pair, pairs_of
from zoo.comparison.report.tables.sides import protocols_of, recipes_of
from zoo.comparison.report.tables.table import Cell, Table
from zoo.comparison.report.tables.variants import variant_table
from zoo.comparison.report.words import STAGE_NAMES, STAGES, arrow


def markdown_table(comparison: Comparison) -> str:
    """The main table alone: ranks, outcomes, last scores and cost, a table for each dataset."""
    datasets = datasets_of(comparison)
    blocks = [main_table(comparison, dataset) for dataset in datasets]
    if len(blocks) == 1:
        return blocks[0]
    return "\n\n".join(f"**{escaped(dataset)}**\n\n{block}" for dataset, block in zip(datasets, blocks, strict=True))


def main_table(comparison: Comparison, dataset: str) -> str:
    """The main table of one dataset."""
    table = variant_table(comparison, dataset).only("runs", "last", "cost").outcomes_in_words()
    return table_text(table, grouped=("last",))


def markdown(comparison: Comparison) -> str:
    """The content of report.md."""
    return "\n".join(report_lines(comparison)).rstrip() + "\n"


def report_lines(comparison: Comparison) -> Iterator[str]:
    """Yields report.md line by line."""
    yield f"# Comparison: {escaped(comparison['title'])}\n"
    name = code(deciding_score(comparison))
    for dataset, sentence in headlines(comparison).items():
        yield f"On {escaped(dataset)}, by {name}: **{escaped(sentence)}**\n"
    yield from (f"- {escaped(name)}: {escaped(value)}" for name, value in facts_of(comparison))
    yield from (f"- Note: {escaped(note)}" for note in comparison.get("notes") or [])
    yield ""
    for dataset in datasets_of(comparison):
        yield from dataset_lines(comparison, dataset)
    yield from trouble_lines(comparison)
    yield from measured_lines(comparison)


def dataset_lines(comparison: Comparison, dataset: str) -> Iterator[str]:
    """The section of a dataset."""
    yield f"## {escaped(dataset)}\n"
    yield main_table(comparison, dataset) + "\n"
    yield "Scores are means over seeds ± one standard deviation [95% interval of the mean]; **bold** is best, or tied"
    yield "for it, by the corrected comparisons; a rank such as 2–4 is what they leave open. A run that failed or"
    yield "diverged counts there as worse than any that finished. Costs are medians.\n"
    best = variant_table(comparison, dataset).only("best")
    if len(best.columns) > 1:
        yield "At each run's best checkpoint, scored again on latents that did not choose it:\n"
        yield table_text(best, grouped=("best",)) + "\n"
    yield from sentence_lines(comparison, dataset)
    yield from picture_lines(comparison, dataset)
    yield from recipe_lines(comparison, dataset)
    for entry in published_of(dataset):
        yield from published_lines(entry, dataset)


def sentence_lines(comparison: Comparison, dataset: str) -> Iterator[str]:
    """The sentence of each ranking, with a table of its pairs."""
    for score in scores_of(comparison, dataset):
        for stage in STAGES:
            ranking = ranking_of(comparison, dataset, score["name"], stage)
            if not ranking.get("sentence"):
                continue
            heading = f"`{score['name']}` {arrow(score['better'])}, {STAGE_NAMES[stage]}"
            yield f"### {heading}\n\n{escaped(ranking['sentence'])}\n"
            pairs = pairs_of(comparison, dataset, score["name"], stage)
            if pairs:
                yield f"<details><summary>{len(pairs)} pairs</summary>\n\n{pair_table(pairs)}\n\n</details>\n"


def pair_table(pairs: Sequence[Pair]) -> str:
    """A row for each comparison of two variants."""
    head = ["one", "", "other", "difference", "p", "corrected p"]
    rows = [
        [code(each.one), each.words, code(each.other), escaped(each.difference), escaped(each.p), each.corrected]
        for each in pairs
    ]
    return grid(head, rows, left=3)


def picture_lines(comparison: Comparison, dataset: str) -> Iterator[str]:
    """The sample pictures of each variant's median run, linked in their run directories."""
    score = deciding_score(comparison)
    shown = {}
    for variant in variants_of(comparison):
        drawn = [cell for cell in runs_of(comparison, dataset, variant.label) if cell.get("picture")]
        if drawn:
            cell, why = middle_run(drawn, score)
            alternative = escaped(f"samples of {variant.label}, seed {cell['seed']}, {why}")
            shown[code(variant.label)] = f"![{alternative}]({address(cell['picture'])})"
    if shown:
        yield grid(list(shown), [list(shown.values())], left=len(shown)) + "\n"
        yield "Samples from the same latents; of each variant the seed with the median score.\n"


def address(path: str) -> str:
    """A file's path as the target of a link in Markdown."""
    return quote(path, safe="/+,=")


def recipe_lines(comparison: Comparison, dataset: str) -> Iterator[str]:
    """A table of the fields in which the recipes differ."""
    sides = recipes_of(comparison, dataset)
    if not sides.differing:
        return
    yield f"Recipes differ in {sides.differing} of {len(sides.fields)} fields:\n"
    rows = [
        [code(field.name), *(escaped(entry.text) for entry in field.entries)] for field in sides.fields if field.differs
    ]
    yield grid(["field", *(code(variant.label) for variant in sides.variants)], rows) + "\n"


def published_lines(entry: Published, dataset: str) -> Iterator[str]:
    """One source's published numbers, with a warning that they do not compare with the report's."""
    yield f"Published on {escaped(dataset)}: [{escaped(entry.source)}]({entry.link}). {escaped(entry.protocol)}."
    yield "These compare with one another, and not with the scores above.\n"
    rows = [
        [
            escaped(variant),
            *(scores.get(name, "") + (" †" if variant in entry.disputed else "") for name in entry.names),
        ]
        for variant, scores in entry.scores.items()
    ]
    yield grid(["variant", *entry.names], rows) + "\n"
    if entry.disputed:
        yield "† Papers that quote this number disagree about it.\n"


def trouble_lines(comparison: Comparison) -> Iterator[str]:
    """A table of the runs that have not finished, with the reasons."""
    cells = [cell for cell in comparison["cells"] if cell["state"] != "done"]
    if not cells:
        return
    yield "## Runs that have not finished\n"
    rows = [
        [
            code(cell["label"]),
            escaped(cell["dataset"]),
            str(cell["seed"]),
            cell["state"],
            escaped(cell.get("reason") or ""),
        ]
        for cell in cells
    ]
    yield grid(["variant", "dataset", "seed", "state", "reason"], rows, left=5) + "\n"


def measured_lines(comparison: Comparison) -> Iterator[str]:
    """The section on command, protocols, versions and machines."""
    yield "## How it was measured\n"
    if comparison.get("command"):
        yield f"    {' '.join(str(comparison['command']).split())}\n"
    yield from (f"- {escaped(name)}: {escaped(value)}" for name, value in measured_of(comparison))
    protocols = protocols_of(comparison)
    yield from (f"- {escaped(name)}: {escaped(value)}" for name, value in protocols.shared)
    for score, own in protocols.own.items():
        if own:
            yield f"- {code(score)}: {escaped(', '.join(f'{name} {value}' for name, value in own))}"


def table_text(table: Table, grouped: Sequence[str]) -> str:
    """The table with the variant as its second column; columns of the `grouped` parts are headed by their group."""
    titles = [escaped(column.group if column.part in grouped else column.title) for column in table.columns]
    rows = [[cell_text(row.cells[0]), code(row.variant.label), *map(cell_text, row.cells[1:])] for row in table.rows]
    return grid([titles[0], "variant", *titles[1:]], rows)


def cell_text(cell: Cell) -> str:
    """`**0.0172** ± 0.0007 [0.0167, 0.0177]`."""
    return f"{f'**{cell.text}**' if cell.mark else cell.text} {cell.note}".strip().replace("[", "\\[")
