"""The versions of installed packages, on which numbers may depend."""

from importlib import metadata

from zoo import backend

VERSIONS = ("gan-zoo", "keras", "numpy", "pluggy", "tensorflow-datasets")
VERSIONS_OF_BACKEND = {"tensorflow": ("tensorflow", "tensorflow-cpu"), "jax": ("jax", "jaxlib")}


def installed_versions() -> dict[str, str]:
    """Version by package, of Keras, NumPy, TFDS and the chosen backend among others; missing packages are left out."""
    versions = {}
    for name in (*VERSIONS, *VERSIONS_OF_BACKEND.get(backend.chosen(), ())):
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions
