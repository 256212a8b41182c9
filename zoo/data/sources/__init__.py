"""Where samples come from, without TFDS."""
