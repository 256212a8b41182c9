"""Points in a .csv file, one a line: coordinates with commas between them, and no header"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from zoo.extensions import Contents, DataOptions, DatasetEntry, Selection, Source, Splits, ZooError, hookimpl


@hookimpl
def source(dataset: DatasetEntry, options: DataOptions) -> Source | None:
    path = dataset.path or Path(dataset.reference).expanduser().absolute()
    if path.suffix != ".csv":
        return None
    options.refuse_images(f"{path} holds points")
    return CsvPoints(path)


@dataclass(frozen=True)
class CsvPoints(Source):
    path: Path

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def identity(self) -> Mapping[str, Any]:
        """With the file's hash, so that a changed file is prepared anew."""
        return {"source": f"csv {self.path}", "sha256": sha256(self.path.read_bytes()).hexdigest()}

    def splits(self) -> Splits:
        """One, of which a tenth is held out as `test`."""
        return Splits({"train": len(self.points())}, str(self.path))

    def contents(self, selection: Selection) -> Contents:
        points = self.points()
        scale = float(np.abs(points).max())  # stored points lie in [-1, 1]
        chosen = points[np.concatenate([part.rows for part in selection.parts])]
        batch = (chosen / scale).astype("float32"), None  # no labels
        return Contents(shape=chosen.shape, dtype=np.float32, batches=iter([batch]), scale=scale)

    def points(self) -> np.ndarray:
        try:
            return np.loadtxt(self.path, delimiter=",", ndmin=2)
        except ValueError as error:
            raise ZooError(f"{self.path} holds other things than coordinates: {error}") from error
