"""The variants of the zoo, one file per paper; installed as the package `zoo_plugins`."""
