import errno
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

from zoo.catalogue import Catalogue, find_plugin_source, read_catalogue
from zoo.catalogue.sources import shipped_registry
from zoo.errors import ZooError, ZooWarning

Reader = Callable[[str], Catalogue]

SHIPPED = "plugins:\n  a: {module: zoo.losses}\nvariants:\n  v: {plugins: [a]}\ndatasets:\n  d: {tfds: d}\n"


def test_the_shipped_variants_have_plugins_that_can_be_found(folder: Path) -> None:
    catalogue = read_catalogue()
    assert {"vanilla", "dcgan", "wgan", "wgan-gp"} <= catalogue.variants.keys()
    for plugin in catalogue.plugins.values():
        assert find_plugin_source(plugin) is not None, plugin


def test_the_working_directorys_entries_join_the_shipped_ones(folder: Path, shipped: Reader) -> None:
    (folder / "mine.py").write_text("")
    own = "plugins: {mine: {file: mine.py}}\nvariants:\n  new:\n    plugins: [a, mine]\n    datasets: {d: {width: 3}}\n"
    (folder / "registry.yaml").write_text(own)
    catalogue = shipped(SHIPPED)
    assert catalogue.plugins["mine"].file == folder / "mine.py"
    assert catalogue.plugins["mine"].source == "./registry.yaml:1"
    assert catalogue.plugins["a"].source == "registry.yaml:2"
    assert catalogue.variants["new"].plugins == ("a", "mine")
    assert catalogue.location("new", "width", "d") == "./registry.yaml:5"


def test_a_directory_can_be_given_instead_of_the_working_directory(folder: Path, shipped: Reader) -> None:
    shipped(SHIPPED)
    other = folder / "other"
    other.mkdir()
    (other / "registry.yaml").write_text("variants: {new: {plugins: [a]}}")
    assert "new" not in read_catalogue().variants
    assert read_catalogue(directory=other).variants["new"].source == f"{other / 'registry.yaml'}:1"


def test_the_shipped_file_counts_once_where_it_is_the_working_directorys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shipped_registry().parent)
    assert read_catalogue().variants["dcgan"].source.startswith("registry.yaml:")


def test_an_equal_entry_counts_once_and_the_first_source_stays(folder: Path, shipped: Reader) -> None:
    (folder / "registry.yaml").write_text("# a copy\n" + SHIPPED)
    assert shipped(SHIPPED).plugins["a"].source == "registry.yaml:2"


def test_an_entry_of_the_same_name_is_an_error_that_shows_both_places(folder: Path, shipped: Reader) -> None:
    own = (
        "plugins: {a: {module: zoo.layers}}\nvariants: {v: {plugins: [a], summary: other}}\ndatasets: {d: {tfds: e}}\n"
    )
    (folder / "registry.yaml").write_text(own)
    with pytest.raises(ZooError) as raised:
        shipped(SHIPPED)
    assert str(raised.value).splitlines() == [
        "Plugin 'a' is defined twice: in registry.yaml:2 and in ./registry.yaml:1. Rename one of them.",
        "Variant 'v' is defined twice: in registry.yaml:4 and in ./registry.yaml:2. Rename one of them.",
        "Dataset 'd' is defined twice: in registry.yaml:6 and in ./registry.yaml:3. Rename one of them.",
    ]


def test_a_plugin_file_is_named_as_the_file(folder: Path) -> None:
    (folder / "mine.py").write_text("")
    entry = read_catalogue([Path("mine.py")]).plugins["mine"]
    assert (entry.module, entry.file, entry.source) == (None, folder / "mine.py", "--plugin mine.py")


def test_the_same_plugin_file_counts_once_from_all_its_sources(folder: Path, shipped: Reader) -> None:
    (folder / "mine.py").write_text("")
    (folder / "link.py").symlink_to("mine.py")
    (folder / "registry.yaml").write_text("plugins: {mine: {file: ./link.py}}")
    shipped(SHIPPED)
    catalogue = read_catalogue([Path("mine.py"), folder / "mine.py"])
    assert catalogue.plugins["mine"].source == "./registry.yaml:1"


def test_a_shipped_plugins_own_file_counts_once(folder: Path) -> None:
    path = find_plugin_source(read_catalogue().plugins["vanilla"])
    assert path is not None
    assert read_catalogue([path]).plugins["vanilla"].module == "zoo_plugins.vanilla"


def test_another_file_named_as_a_shipped_plugin_is_refused(folder: Path, shipped: Reader) -> None:
    shipped(SHIPPED)
    (folder / "a.py").write_text("")
    with pytest.raises(ZooError) as raised:
        read_catalogue([Path("a.py")])
    expected = "Plugin 'a' is defined twice: in registry.yaml:2 and in --plugin a.py. Rename one of them."
    assert str(raised.value) == expected


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("absent.py", "--plugin absent.py: the file does not exist."),
        ("mine_.py", "--plugin mine_.py: the file does not exist. Did you mean 'mine.py'?"),
        ("nowhere/x.py", "--plugin nowhere/x.py: the file does not exist."),
        ("text.txt", "--plugin text.txt: the file is no Python file (.py)."),
        ("folder.py", "--plugin folder.py: the file is no Python file (.py)."),
        (
            "a+b.py",
            "--plugin a+b.py: the file's name becomes the plugin's, and a name is letters, digits, '-', '_' and '.', "
            "and begins with a letter or digit.",
        ),
    ],
)
def test_a_plugin_file_that_cannot_be_one_is_refused(folder: Path, name: str, message: str) -> None:
    for file in ("mine.py", "text.txt", "a+b.py"):
        (folder / file).write_text("")
    (folder / "folder.py").mkdir()
    with pytest.raises(ZooError) as raised:
        read_catalogue([Path(name)])
    assert str(raised.value) == message


def test_a_plugin_of_the_working_directory_that_is_missing_costs_one_warning(folder: Path, shipped: Reader) -> None:
    (folder / "registry.yaml").write_text("plugins:\n  gone: {file: gone.py}\n  lost: {module: no_such_package.x}\n")
    with pytest.warns(ZooWarning) as warned:
        catalogue = shipped(SHIPPED)
    assert [str(each.message) for each in warned] == [
        f"Plugin 'gone' (./registry.yaml:2): file {folder / 'gone.py'} is not to be found.",
        "Plugin 'lost' (./registry.yaml:3): module no_such_package.x is not to be found.",
    ]
    assert catalogue.plugins.keys() == {"a", "gone", "lost"}


def test_reading_the_catalogue_imports_neither_keras_nor_a_plugin(folder: Path) -> None:
    (folder / "mine.py").write_text("raise SystemExit('imported')")
    code = """
import sys, pathlib
from zoo.catalogue import find_plugin_source, plugin_summary, read_catalogue
catalogue = read_catalogue([pathlib.Path("mine.py")])
for entry in catalogue.plugins.values():
    find_plugin_source(entry), plugin_summary(entry)
heavy = {"numpy", "keras", "tensorflow", "tensorflow_datasets", "zoo_plugins"}
print(sorted(heavy & sys.modules.keys()), len(catalogue.plugins) > 1)
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (result.stdout, result.stderr) == ("[] True\n", "")


def test_a_registry_that_cannot_be_read_says_why(
    folder: Path, shipped: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped(SHIPPED)
    (folder / "registry.yaml").write_text("")

    def refuse(*arguments: object, **named: object) -> str:  # chmod would not keep an administrator out
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "read_text", refuse)
    with pytest.raises(ZooError, match=r"^Cannot read registry\.yaml: Permission denied\.$"):
        read_catalogue()


def test_a_sound_catalogue_warns_of_nothing(folder: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read_catalogue()
