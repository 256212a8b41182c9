"""What the backends' profilers record, as plain events: `tensorflow` and `jax` record, the other modules read."""
