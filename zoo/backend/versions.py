"""Which versions of what is installed: numbers may depend on them."""

from importlib import metadata

from zoo import backend

VERSIONS = ("gan-zoo", "keras", "numpy", "pluggy", "tensorflow-datasets")
VERSIONS_OF_BACKEND = {"tensorflow": ("tensorflow", "tensorflow-cpu"), "jax": ("jax", "jaxlib")}


def installed_versions() -> dict[str, str]:
    """Versions of the packages that numbers may depend on."""
    versions = {}
    for name in (*VERSIONS, *VERSIONS_OF_BACKEND.get(backend.chosen(), ())):
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions
