"""What a comparison returns: the data of its report, with its runs, a table, and what a notebook shows of it."""

from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

from zoo.base.html import paragraph, picture, table
from zoo.base.plain_data import plain_json
from zoo.opened import Run
from zoo.runs.directory import RunDirectory
from zoo.runs.metrics import pandas_or

GAP, HEADLINE = 8, 20  # pixels between pictures, and above them for a name
SHOWN = ("runs", "last", "cost")  # the parts of the table


class Found(dict[str, Any]):
    """All data of a comparison's report, JSON-ready; `folder` is where the report lies."""

    def __init__(self, data: Mapping[str, Any], folder: Path) -> None:
        super().__init__(data)
        self.folder = folder

    @property
    def runs(self) -> list[Run]:
        """Those of its runs that have begun."""
        paths = [self.folder / cell["path"] for cell in self["cells"]]
        return [Run(RunDirectory(path)) for path in paths if RunDirectory(path).record_file.exists()]

    def to_pandas(self) -> Any:
        """A pandas.DataFrame with a row for each run: its last scores and its cost.

        Raises ZooError where pandas is missing.
        """
        pandas = pandas_or("scores.csv beside the report holds the same")
        named = ("label", "dataset", "seed", "state")
        rows = [
            {
                **{name: cell[name] for name in named},
                **{name: score["value"] for name, score in cell["last"].items()},
                **(cell["cost"] or {}),
            }
            for cell in self["cells"]
        ]
        return pandas.DataFrame(rows)

    def _repr_html_(self) -> str:
        """A table and a sample picture of each variant on each dataset, with the sentences of the ranking."""
        from zoo.comparison.report.reading import datasets_of, headlines
        from zoo.comparison.report.sample_pictures import pictures_of
        from zoo.comparison.report.tables.variants import variant_table

        plain = plain_json(self)
        found = [paragraph(f"Comparison: {plain['title']}", "h4")]
        for dataset in datasets_of(plain):
            rows = variant_table(plain, dataset).only(*SHOWN).outcomes_in_words()
            sentence = headlines(plain).get(dataset, "")
            found.append(paragraph(f"{dataset}. {sentence}" if sentence else dataset))
            titles = [column.group if column.part == "last" else column.title for column in rows.columns]
            head = [titles[0], "variant", *titles[1:]]
            texts = [[f"{cell.text} {cell.note}".strip() for cell in row.cells] for row in rows.rows]
            lines = zip(rows.rows, texts, strict=True)
            found.append(table(head, [[text[0], row.variant.label, *text[1:]] for row, text in lines]))
            for each in pictures_of(plain, dataset, self.folder):
                found.append(picture(each.content, each.kind, each.alternative, each.variant.label))
        return "".join(found)

    def _repr_png_(self) -> bytes | None:
        """The sample pictures of the variants side by side, a row for each dataset; None where there are none."""
        from zoo.comparison.report.reading import datasets_of
        from zoo.comparison.report.sample_pictures import pictures_of

        plain = plain_json(self)
        rows = [found for dataset in datasets_of(plain) if (found := pictures_of(plain, dataset, self.folder))]
        if not rows:
            return None
        width = max(sum(each.width + GAP for each in row) for row in rows) + GAP
        height = sum(max(each.height for each in row) + HEADLINE + GAP for row in rows)
        canvas, top = Image.new("RGB", (width, height), "white"), 0
        draw = ImageDraw.Draw(canvas)
        for row in rows:
            left = GAP
            for each in row:
                draw.text((left, top + GAP // 2), each.variant.label, fill="black")
                canvas.paste(Image.open(BytesIO(each.content)).convert("RGB"), (left, top + HEADLINE))
                left += each.width + GAP
            top += max(each.height for each in row) + HEADLINE + GAP
        content = BytesIO()
        canvas.save(content, format="PNG")
        return content.getvalue()
