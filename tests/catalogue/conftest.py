from collections.abc import Callable
from pathlib import Path

import pytest

from zoo.catalogue import Catalogue, read_catalogue
from zoo.catalogue import sources as catalogue_sources


@pytest.fixture(autouse=True)
def nothing_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever plugins the environment of the tests has are no part of them."""
    monkeypatch.setattr(catalogue_sources, "installed_plugins", list)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def shipped(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Catalogue]:
    """Reads a catalogue whose shipped registry.yaml has the given text."""

    def read(text: str) -> Catalogue:
        path = folder / "package" / "registry.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        monkeypatch.setattr(catalogue_sources, "shipped_registry", lambda: path)
        return read_catalogue()

    return read
