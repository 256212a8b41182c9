"""The plugins of one run under one pluggy manager, and the way from a name to them."""
