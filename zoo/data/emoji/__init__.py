"""Pairs of emoji in two styles, part of the package: see SOURCE.md."""
