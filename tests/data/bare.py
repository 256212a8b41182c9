"""Catalogues in which the shipped sources have their names and no dataset has, or only those of a test."""

from zoo.catalogue import Catalogue, DatasetEntry, read_catalogue

BARE = Catalogue(extensions=read_catalogue().extensions)


def with_datasets(entries: dict[str, DatasetEntry]) -> Catalogue:
    return Catalogue(datasets=entries, extensions=BARE.extensions)
