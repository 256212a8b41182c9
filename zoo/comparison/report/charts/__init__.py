"""Matplotlib's figures, as parts of the page."""
