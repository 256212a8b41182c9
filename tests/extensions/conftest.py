"""Fixtures that bring an extension in by each way that there is."""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from zoo.catalogue import sources as catalogue_sources


@pytest.fixture(autouse=True)
def working_directory(tmp_path: Path, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every test begins in an empty folder, with nothing from outside imported."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("TFDS_DATA_DIR", str(data_dir))
    for name in [each for each in sys.modules if each.startswith(("zoo_plugin_", "friends_"))]:
        del sys.modules[name]  # what an earlier test brought in
    return folder


@pytest.fixture
def bring(tmp_path: Path, working_directory: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Brings an extension's file in by a way, under its own name; returns what a command line needs for it."""

    def by(way: str, kind: str, file: Path) -> list[str]:
        name = file.stem
        registry = working_directory / "registry.yaml"
        if way == "file":
            return ["--plugin", str(file)]
        if way == "entry point":
            monkeypatch.syspath_prepend(str(installed(tmp_path / "site", file)))
        elif way == "shipped":
            shipped = tmp_path / "shipped" / "registry.yaml"
            shipped.parent.mkdir()
            text = catalogue_sources.shipped_registry().read_text()
            shipped.write_text(text.replace(f"\n{kind}:", f"\n{kind}:\n  {name}: {{file: {file}}}", 1))
            monkeypatch.setattr(catalogue_sources, "shipped_registry", lambda: shipped)
        else:
            section = {"section": kind, "plugins": "plugins"}[way]
            registry.write_text(f"{section}:\n  {name}: {{file: {file}}}\n")
        return []

    return by


def installed(site: Path, file: Path) -> Path:
    """A folder for sys.path that holds a distribution with the file as a module and as an entry point."""
    information = site / "friends-1.5.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: friends\nVersion: 1.5\n")
    (information / "entry_points.txt").write_text(f"[zoo]\n{file.stem} = friends_{file.stem}\n")
    shutil.copy(file, site / f"friends_{file.stem}.py")
    return site


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str], Path]:
    """Writes an extension of a test's own, below the import that each needs."""

    def text_file(name: str, text: str) -> Path:
        path = tmp_path / "written" / f"{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"from zoo.extensions import *\n\n\n@hookimpl\n{text}")
        return path

    return text_file


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Images to train on and others to be scored against, in one file."""
    draw = np.random.default_rng(5)
    path = tmp_path_factory.mktemp("images") / "images.npz"
    counts = {"samples": 64, "test_samples": 60}
    np.savez(path, **{name: draw.integers(0, 256, (n, 16, 16, 1), dtype=np.uint8) for name, n in counts.items()})
    return path
