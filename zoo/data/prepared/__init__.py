"""Prepared arrays on disk: written whole, found by what they hold, verified, carried, removed."""
