"""Who may import whom, read from the sources, and what the light commands must not import, seen in a subprocess."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import zoo_plugins

import zoo
from zoo.catalogue import read_catalogue

PACKAGE = Path(zoo.__file__).parent
PLUGINS = Path(zoo_plugins.__file__).parent
HEAVY = {"keras", "tensorflow", "numpy", "tensorflow_datasets", "jax", "torch", "pandas", "IPython"}
HEAVY |= {"wandb", "mlflow", "trackio", "tensorboardX"}
FRONT = {
    "zoo",
    "zoo.extensions",
    "zoo.feature_networks",
    "zoo.layers",
    "zoo.losses",
    "zoo.networks",
    "zoo.recipe",
}  # what a plugin may import
LAYERS = (  # each imports only from those after it
    {"__main__"},
    {"cli"},
    {"diagnosis"},
    {"comparison", "exploring", "watching", "testing"},
    {"pipeline"},
    {"options", "tracking", "sharing"},
    {"opened"},
    {"evaluation"},
    {"training"},
    {"stacks", "data", "runs", "profiling", "health"},
    {"layers", "losses", "feature_networks"},
    {"extensions"},
    {"hookspecs"},
    {"recipe", "networks"},
    {"backend", "catalogue"},
    {"base"},
    {"errors"},
)
CONTRACT = PACKAGE / "extensions" / "__init__.py"  # names types of every room for type checkers, and imports none
EXCEPTIONS = {
    ("recipe", "catalogue"),  # reads a value as registry.yaml would
}
SOURCES = sorted(PACKAGE.rglob("*.py"))
HOMES = {name: home.split(".")[1] for name, home in zoo.HOMES.items()} | {
    "EngineOptions": "backend", "Processes": "backend", "Recipe": "recipe",
    "ZooError": "errors", "ZooWarning": "errors", "hookimpl": "hookspecs", "__version__": "errors",
}  # fmt: skip


def imported(path: Path) -> set[str]:
    """Every module that a file imports anywhere; `from zoo import x` is zoo.x.

    What is imported for type checkers alone counts too, but for the contract of extensions.
    """
    names: set[str] = set()
    module = ast.parse(path.read_text())
    if path == CONTRACT:
        module.body = [node for node in module.body if not is_for_type_checkers(node)]
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names.update(f"{node.module}.{alias.name}" if node.module == "zoo" else node.module for alias in node.names)
    return names


def is_for_type_checkers(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def rooms_used(path: Path) -> set[str]:
    """The rooms that a file needs: by a module's name, by a name of the front, or as an attribute of a bare `zoo`."""
    names = {name.split(".")[1] for name in imported(path) if name.startswith("zoo.")}
    if "zoo" in imported(path):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "zoo":
                names.add(node.attr)
    return {HOMES.get(name, name) for name in names} - {"__file__", "__path__"}


def top_level(names: set[str]) -> set[str]:
    return {name.partition(".")[0] for name in names}


def part(path: Path) -> str:
    """The part of the core that a file belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def level(name: str) -> int:
    return next(index for index, layer in enumerate(LAYERS) if name in layer)


def test_every_room_has_its_place_and_every_place_is_a_room() -> None:
    assert {part(path) for path in SOURCES} - {"__init__"} == set().union(*LAYERS)


def test_the_core_imports_downwards_only() -> None:
    upwards = []
    for path in SOURCES:
        mine = part(path)
        if mine == "__init__":
            continue  # the front imports what it names when that is first asked for
        for other in rooms_used(path) - {mine}:
            if level(other) <= level(mine) and (mine, other) not in EXCEPTIONS:
                upwards.append(f"{path.relative_to(PACKAGE)} imports zoo.{other}")
    assert upwards == []


@pytest.mark.parametrize(
    "source",
    [
        "import zoo\nzoo.run('dcgan')",
        "from zoo import run",
        "def late():\n    import zoo\n    return zoo.compare",
        "from zoo.cli import main",
    ],
)
def test_an_import_upwards_is_seen_in_each_of_its_forms(source: str, tmp_path: Path) -> None:
    path = tmp_path / "low.py"
    path.write_text(source)
    assert [level(room) < level("base") for room in rooms_used(path)] == [True]


def test_the_core_never_imports_plugins() -> None:
    assert [str(path) for path in SOURCES if "zoo_plugins" in top_level(imported(path))] == []


def test_plugins_import_the_front_of_the_zoo_and_keras_only() -> None:
    public = {f"zoo.{name}" for name in zoo.__all__}
    for path in PLUGINS.glob("*.py"):
        of_zoo = {name for name in imported(path) if name.partition(".")[0] == "zoo"}
        assert of_zoo <= FRONT | public, path.name
        others = top_level(imported(path)) - {"zoo"}
        assert others <= sys.stdlib_module_names | {"keras"}, path.name
        assert not any("keras.src" in name for name in imported(path)), path.name


WORDS = {"began", "cut", "edges", "gray", "hinge", "minimax", "negative", "projected"}
"""Names of plugins that are words, too."""
NAMING = {
    ("pipeline.py", "dcgan"),  # what `zoo.run()` trains where nothing is named
    ("layers/learned.py", "stylegan2"),  # the package of a layer, by which saved files find it
}


def literals(tree: ast.AST) -> Iterator[str]:
    """The strings of a module but for docstrings, and for the examples below a command's help."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "examples":
            continue
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        yield from literals(node)


def test_the_core_knows_no_plugin_by_name() -> None:
    catalogue = read_catalogue()
    names = {*catalogue.plugins, *catalogue.variants} - WORDS
    alone = re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, names))})(?![\w-])")
    found = {
        (path.relative_to(PACKAGE).as_posix(), name)
        for path in SOURCES
        for literal in literals(ast.parse(path.read_text()))
        for name in alone.findall(literal)
    }
    assert found == NAMING


@pytest.mark.parametrize("library", ["tensorflow", "jax", "torch"])
def test_only_the_backend_knows_a_backends_library(library: str) -> None:
    knowing = {part(path) for path in SOURCES if library in top_level(imported(path))}
    assert knowing <= {"backend", "data"}  # data: TFDS reads by it, inside functions


def test_data_imports_tensorflow_lazily() -> None:
    for path in (PACKAGE / "data").rglob("*.py"):
        module = ast.parse(path.read_text())
        at_once = [node for node in module.body if isinstance(node, ast.Import | ast.ImportFrom)]
        names = {alias.name for node in at_once if isinstance(node, ast.Import) for alias in node.names}
        assert not top_level(names) & {"tensorflow"}, path.name


@pytest.mark.parametrize(
    "code",
    [
        "import zoo; zoo.hookimpl; zoo.Recipe; zoo.ZooError",
        "import zoo.extensions; zoo.extensions.Executor; zoo.extensions.Listener; zoo.extensions.Extractor",
        "import zoo.cli; zoo.cli.main(['--help'])",
        "import zoo.cli; zoo.cli.main(['list'])",
        "import zoo.cli; zoo.cli.main(['list', 'plugins', '--json'])",
        "import zoo.cli; zoo.cli.main(['run', '--help'])",
        "import zoo.cli; zoo.cli.main(['compare', '--help'])",
        "import zoo.cli; zoo.cli.main(['watch', '--help'])",
        "import zoo.cli; zoo.cli.main(['explore', '--help'])",
        "import zoo.cli; zoo.cli.main(['completion', 'bash'])",
    ],
)
def test_light_commands_import_nothing_heavy(code: str, tmp_path: Path) -> None:
    program = (
        "import sys\n"
        f"try:\n    {code.replace('; ', chr(10) + '    ')}\nexcept SystemExit:\n    pass\n"
        f"print('HEAVY', sorted(set(sys.modules) & {HEAVY}))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert done.stdout.splitlines()[-1] == "HEAVY []"


def test_benchmarks_share_what_is_common_and_do_not_import_one_another() -> None:
    folder = PACKAGE.parent / "benchmarks"
    if not folder.is_dir():
        pytest.skip("an installed zoo has no benchmarks")
    found = [
        f"{path.relative_to(folder)} imports {name}"
        for path in folder.rglob("*.py")
        for name in imported(path)
        if name
        and name.startswith("benchmarks.")
        and name.split(".")[1] not in ("common", path.relative_to(folder).parts[0].removesuffix(".py"))
    ]
    assert found == []
