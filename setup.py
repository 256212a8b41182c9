"""What pyproject.toml can't say: which packages there are, and that registry.yaml travels inside `zoo`."""

import shutil
from pathlib import Path

from setuptools import find_namespace_packages, setup
from setuptools.command.build_py import build_py

CACHES = ["*__pycache__*"]


class BuildWithRegistry(build_py):
    """The usual build, and the top-level registry.yaml beside the core's modules."""

    def run(self) -> None:
        """Copies registry.yaml into a wheel alone: an editable install reads it where it lies."""
        super().run()
        if not self.editable_mode:
            shutil.copyfile("registry.yaml", Path(self.build_lib, "zoo", "registry.yaml"))


# Namespace search, because a folder of data needs no __init__.py.
core = ["zoo", *(f"zoo.{name}" for name in find_namespace_packages("zoo", exclude=CACHES))]
plugins = ["zoo_plugins", *(f"zoo_plugins.{name}" for name in find_namespace_packages("plugins", exclude=CACHES))]

setup(packages=core + plugins, cmdclass={"build_py": BuildWithRegistry})
