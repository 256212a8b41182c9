"""Traces of the backends' profilers as plain events: `tensorflow` and `jax` record, the other modules read."""
