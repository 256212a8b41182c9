"""Plugins of other packages: distributions that are built and installed here, then read in a process of its own."""

import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

SETUP = """\
    from setuptools import setup
    setup(name="{name}", version="1.5", packages=["{package}"], entry_points={{"zoo": {points}}})
    """
SOUND = '"""A quiet GAN (Nobody 2026), https://example.org/quiet"""\nfrom zoo import hookimpl\n'
READ = """\
    import sys
    import warnings
    from zoo.catalogue import Catalogue, load_every_plugin, plugin_summary, read_catalogue
    from zoo.errors import ZooError

    def show(message, *rest, **named):
        print("warning:", message)

    warnings.showwarning = show
    try:
        catalogue = read_catalogue()
    except ZooError as error:
        sys.exit(str(error))
    print("imported early:", [name for name in sys.modules if name.startswith("friends")])
    installed = {name: entry for name, entry in catalogue.plugins.items() if "entry point" in entry.source}
    for entry in installed.values():
        print(entry.name, "|", entry.source, "|", plugin_summary(entry))
    print("sound:", *load_every_plugin(Catalogue(installed)))
    """


def install(folder: Path, name: str, points: list[str], files: dict[str, str]) -> Path:
    """The folder to put on PYTHONPATH, holding the distribution `name` with its package as pip installs it."""
    package, project, target = name.replace("-", "_"), folder / "projects" / name, folder / "site"
    (project / package).mkdir(parents=True)
    (project / "setup.py").write_text(dedent(SETUP).format(name=name, package=package, points=points))
    (project / package / "__init__.py").write_text("")
    for file, text in files.items():
        (project / package / file).write_text(text)
    pip = [sys.executable, "-m", "pip", "install", "--no-deps", "--no-build-isolation", "--no-index", "-q"]
    subprocess.run([*pip, "--target", str(target), str(project)], check=True, capture_output=True)
    return target


def read(folder: Path, site: Path) -> subprocess.CompletedProcess[str]:
    environment = {"PYTHONPATH": str(site), "PATH": ""}
    command = [sys.executable, "-c", dedent(READ)]
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=folder, check=False)


def test_an_installed_packages_plugins_are_listed_without_importing_and_a_broken_one_costs_one_warning(
    tmp_path: Path,
) -> None:
    files = {"quiet.py": SOUND, "broken.py": '"""Broken."""\nimport no_such_module\n'}
    points = ["quiet = friends_gan.quiet", "broken = friends_gan.broken", "gone = friends_gan.gone"]
    points += ["call = friends_gan.quiet:main", "a+b = friends_gan.quiet"]
    site = install(tmp_path, "friends-gan", points, files)
    result = read(tmp_path, site)
    assert result.stderr == ""
    owner = "entry point of friends-gan 1.5"
    broken = site / "friends_gan" / "broken.py"
    rule = "a name is letters, digits, '-', '_' and '.', and begins with a letter or digit"
    assert sorted(result.stdout.splitlines()) == sorted(
        [
            f"warning: Plugin 'call' ({owner}) is left out: 'friends_gan.quiet:main' is no module's name, "
            "such as package.module.",
            f"warning: Plugin 'a+b' ({owner}) is left out: {rule}.",
            f"warning: Plugin 'gone' ({owner}): module friends_gan.gone is not to be found.",
            "imported early: []",
            f"quiet | {owner} | A quiet GAN (Nobody 2026), https://example.org/quiet",
            f"broken | {owner} | Broken.",
            f"gone | {owner} | ",
            f"warning: Plugin 'broken' ({owner}) cannot be loaded: ModuleNotFoundError: "
            f"No module named 'no_such_module' ({broken}:2)",
            f"warning: Plugin 'gone' ({owner}) cannot be loaded: ModuleNotFoundError: "
            "No module named 'friends_gan.gone'",
            "sound: quiet",
        ]
    )


def test_an_installed_plugin_named_as_a_shipped_one_is_refused_with_both_places(tmp_path: Path) -> None:
    site = install(tmp_path, "friends-gan", ["dcgan = friends_gan.quiet"], {"quiet.py": SOUND})
    result = read(tmp_path, site)
    assert result.returncode == 1
    assert result.stderr.startswith("Plugin 'dcgan' is defined twice: in registry.yaml:")
    assert result.stderr.endswith(" and in entry point of friends-gan 1.5. Rename one of them.\n")


def test_entry_points_that_cannot_be_parsed_cost_one_warning(tmp_path: Path) -> None:
    folder = tmp_path / "site" / "torn-1.0.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: torn\nVersion: 1.0\n")
    (folder / "entry_points.txt").write_text("[zoo]\nno equals sign here\n")
    result = read(tmp_path, tmp_path / "site")
    assert result.stderr == ""
    assert result.stdout.startswith("warning: The entry points of torn 1.0 cannot be read: ")
    assert result.stdout.count("warning") == 1


@pytest.mark.parametrize("name", ["Friends.GAN", "friends_gan"])
def test_an_older_copy_further_down_the_path_is_not_read(tmp_path: Path, name: str) -> None:
    for folder, spelling, module in [("new", "friends-gan", "zoo.losses"), ("old", name, "zoo.layers")]:
        information = tmp_path / folder / f"{spelling}-1.dist-info"
        information.mkdir(parents=True)
        (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {spelling}\nVersion: 1\n")
        (information / "entry_points.txt").write_text(f"[zoo]\nquiet = {module}\n")
    result = subprocess.run(
        [
            sys.executable,
            "-c",
            "from zoo.catalogue import read_catalogue; print(read_catalogue().plugins['quiet'].module)",
        ],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": f"{tmp_path / 'new'}:{tmp_path / 'old'}"},
        cwd=tmp_path,
        check=False,
    )
    assert (result.stdout, result.stderr) == ("zoo.losses\n", "")
