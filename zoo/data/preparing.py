"""Prepares a requested dataset: chooses its source, and writes the samples into a folder."""

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from zoo.base.progress import Silent
from zoo.catalogue import Catalogue
from zoo.data.dataset import Dataset
from zoo.data.options import UNREADABLE_SHARE, DataOptions
from zoo.data.prepared import cache, writer
from zoo.data.prepared.directory import data_directory, prepared_root, prepared_sets
from zoo.data.prepared.finding import DatasetRequest
from zoo.data.sources.contract import Reporter, Source
from zoo.data.sources.copies import Copy
from zoo.data.sources.image_files import shortened
from zoo.data.splits import Selection
from zoo.errors import ZooError

KERAS_DIGITS = "~/.keras/datasets"  # where Keras keeps mnist.npz once it has loaded it
EMBEDDED = ("fashion_mini",)


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
        """The source that reads the samples."""
        entry, options = self.request.entry, self.request.options
        match entry.kind:
            case "tfds":
                return self._tfds()
            case "points":
                from zoo.data.sources.points import PointSource

                return PointSource(entry.points or entry.name, options)
            case "embedded":
                return self._embedded(entry.embedded or entry.name)
            case "stacked":
                from zoo.data.sources.stacked import StackedSource

                return StackedSource(entry.stacked or "mnist", self._digits, options)
            case _:
                return self._local(entry.path or Path(entry.name), options)

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
        options = {"crop": self.request.options.crop, "image_size": None, "channels": None, "image_key": None}
        used = {**options, "label": None, **contents.resolved}
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
        if contents.skipped and contents.skipped.names:
            names = sorted(contents.skipped.names)
            share = f"{len(names)} of {contents.shape[0]} images"
            self.progress.note(f"{source.name}: {share} are unreadable and left out: {shortened(names)}")

    def _reference(self, source: Source) -> str:
        builder = getattr(source, "builder", None)
        if builder is not None and not str(self.request.entry.tfds).startswith("huggingface:"):
            return str(builder.info.full_name)
        return self.request.entry.reference

    def _tfds(self) -> Source:
        from zoo.data.tfds.source import tfds_source

        entry, options, files = self.request.entry, self.request.options, self.provided.files
        directory = data_directory(self.data_dir)
        source = tfds_source(entry, self.catalogue.datasets, directory, options, files)
        if files is None:
            return source
        from zoo.data.tfds import preflight

        if preflight.has_originals(source.builder, files):
            return source
        local = self._local(files, replace(options, image_key=None))
        self.progress.note(
            f"{files} does not hold the files that TFDS knows; its images are taken as a copy of {entry.name}."
        )
        return Copy(local, source.builder)

    def _local(self, path: Path, options: DataOptions) -> Source:
        from zoo.data.sources.local import local_source

        try:
            return local_source(path, options, self.provided.unreadable)
        except ZooError as error:
            known = [each.meta["name"] for each in prepared_sets(self.data_dir) if each.meta.get("imported")]
            if path.exists() or path.name not in known:
                raise
            raise ZooError(f"{error} A dataset of that name was imported: --dataset {path.name}") from error

    def _embedded(self, name: str) -> Source:
        from zoo.data.sources.idx import IdxSource

        spec = importlib.util.find_spec(f"zoo.data.{name}") if name in EMBEDDED else None
        if spec is None or not spec.submodule_search_locations:
            raise ZooError(f"The package brings no data set '{name}'. Available: {', '.join(EMBEDDED)}.")
        return IdxSource(Path(spec.submodule_search_locations[0]), self.request.options, embedded=name)

    def _digits(self, split: str, progress: Reporter | None) -> Dataset:
        """A split of the dataset whose digits are stacked: from `--from`, by its name, or from Keras' own file."""
        base = self.request.entry.stacked or "mnist"

        def opened(name: str) -> Dataset:
            options = DataOptions(split=split)
            return self.open_other(
                name, self.catalogue, data_dir=self.data_dir, options=options, progress=progress or Silent()
            )

        if self.provided.files:
            return opened(str(self.provided.files.expanduser().absolute()))
        try:
            return opened(base)
        except ZooError as error:
            of_keras = Path(KERAS_DIGITS).expanduser() / f"{base}.npz"
            if of_keras.is_file():
                return opened(str(of_keras))
            raise ZooError(
                f"'{self.request.entry.name}' is made of the digits of '{base}', which is not at hand.\n{error}\n"
                f"Or take the digits of any {base}, such as Keras' {base}.npz or a folder with its four files:\n"
                f"  zoo data prepare {self.request.entry.name} --from {base}.npz"
            ) from error


def slug(source: Source, options: DataOptions) -> str:
    """The readable part of a prepared folder's name: `celeb_a-2.1.0-train-64px-crop140`."""
    size = [f"{options.image_size}px"] if options.image_size else []
    crop = [f"crop{options.crop}"] if options.crop else []
    text = "-".join([source.name, options.split, *size, *crop])
    return "".join(letter if letter.isalnum() or letter in "._-" else "_" for letter in text).lstrip(".")[:80]
