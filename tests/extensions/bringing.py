"""Where the tests' extensions lie, and the ways by which they get in."""

from pathlib import Path

BROUGHT = Path(__file__).with_name("brought")
WAYS = ("file", "section", "plugins", "entry point", "shipped")  # --plugin; a registry.yaml's; a package's; the zoo's
