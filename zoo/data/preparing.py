"""Prepares a requested dataset: chooses its source, and writes the samples into a folder."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from zoo.base.names import readable
from zoo.base.progress import Silent
from zoo.catalogue import Catalogue
from zoo.catalogue.registry import FILES
from zoo.data.dataset import Dataset
from zoo.data.options import READING, UNREADABLE_SHARE, DataOptions
from zoo.data.prepared import cache, writer
from zoo.data.prepared.directory import data_directory, prepared_root
from zoo.data.prepared.finding import DatasetRequest
from zoo.data.sources.contract import Reporter, Source
from zoo.data.sources.copies import Copy
from zoo.data.splits import Selection
from zoo.errors import ZooError
from zoo.extensions.loading import Extension, load_each, open_extension


@dataclass(frozen=True)
class ProvidedFiles:
    """The user's own files of a dataset, to be read instead of a download, and how many may be unreadable."""

    files: Path | None = None
    unreadable: float = UNREADABLE_SHARE  # share of the images that may be skipped


NOTHING_PROVIDED = ProvidedFiles()


@dataclass(frozen=True)
class Preparation:
    """Prepares one requested dataset below `data_dir`."""

    request: DatasetRequest
    catalogue: Catalogue
    data_dir: Path | None
    progress: Reporter
    provided: ProvidedFiles
    open_other: Callable[..., Dataset]  # `open_dataset`, for the dataset that this one is made of, if any

    def source(self) -> Source:
        """The source that reads the samples: the one that the dataset names, for a path the first that reads it."""
        entry = self.request.entry
        for extension in self._candidates():
            found = extension.answer(
                dataset=entry,
                options=self.request.options,
                files=self.provided.files,
                unreadable=self.provided.unreadable,
                data_dir=data_directory(self.data_dir),
                known_datasets=list(self.catalogue.datasets),
                open_dataset=self._opened,
                progress=self.progress,
            )
            if isinstance(found, Source):
                return found
            if found is not None:
                raise extension.must_return("a zoo.extensions.Source or None", found)
        raise ZooError(f"The source '{entry.kind}' has no dataset '{entry.reference}'.")

    def _candidates(self) -> Iterator[Extension]:
        """The sources to ask: for a path those from outside, and then the zoo's own."""
        kind, known = self.request.entry.kind, self.catalogue.extensions["sources"]
        if kind == FILES:
            from_outside = [each for each in known.values() if not each.shipped]
            yield from load_each("sources", from_outside, lambda extension: extension)
        yield open_extension("sources", kind, self.catalogue)

    def _opened(self, name: str, split: str, progress: Reporter | None) -> Dataset:
        """A split of another dataset, which this one is made of."""
        options = DataOptions(split=split)
        return self.open_other(
            name, self.catalogue, data_dir=self.data_dir, options=options, progress=progress or Silent()
        )

    def folder(self, source: Source) -> Path:
        """The folder of the source's prepared samples, written where it does not exist yet."""
        if source.is_at_hand() and (found := self._place(source)[0]).is_dir():
            return found  # without the lock, since the data directory may be read-only
        with cache.preparing(prepared_root(self.data_dir), source.lock, self.progress.note):
            source.prepare(self.progress)
            folder, selection = self._place(source)
            if not folder.is_dir():  # another process may have been faster
                self._write(source, selection, folder)
        return folder

    def _place(self, source: Source) -> tuple[Path, Selection]:
        """The folder for the selected rows, whether it exists or not, and the selection."""
        entry = self.request.entry
        splits = replace(source.splits(), train=entry.train, test=entry.test)
        selection = splits.select(self.request.options.split)
        identity = {**source.identity, **selection.description}
        name = cache.folder_name(slug(source, self.request.options), identity)
        return prepared_root(self.data_dir) / name, selection

    def _write(self, source: Source, selection: Selection, folder: Path) -> None:
        contents = source.contents(selection)
        entry = self.request.entry
        is_path = entry.path is not None and entry.name not in self.catalogue.datasets
        options = dict.fromkeys(("image_size", "channels", "image_key", "label"))
        requested = {name: getattr(self.request.options, name) for name in ("crop", *READING)}
        used = {**options, **requested, **contents.resolved}
        is_copy = isinstance(source, Copy)
        if is_copy:
            used["image_key"] = self.request.options.image_key
        head = {
            "name": source.name if is_path else entry.name,
            "kind": "copy" if is_copy else entry.kind,
            "reference": self._reference(source),
            "imported": None,
            "split": self.request.options.split,
            "roles": {"train": entry.train, "test": entry.test},
            "options": used,
            "defaults": dict(contents.defaults),
            "description": {**source.identity, **used, **contents.description, **selection.description},
        }
        what = f"preparing {entry.name} ({self.request.options.split})"
        writer.write(folder, head, contents, lambda done, total: self.progress.counting(what, done, total))

    def _reference(self, source: Source) -> str:
        builder = getattr(source, "builder", None)
        if builder is not None and not self.request.entry.reference.startswith("huggingface:"):
            return str(builder.info.full_name)
        return self.request.entry.reference


def slug(source: Source, options: DataOptions) -> str:
    """The readable part of a prepared folder's name: `celeb_a-2.1.0-train-64px-crop140`."""
    size = [f"{options.image_size}px"] if options.image_size else []
    crop = [f"crop{options.side or f'-{options.crop}'}"] if options.crop else []
    text = "-".join([source.name, options.split, *size, *crop])
    return readable(text)[:80]
