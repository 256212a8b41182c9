"""Charts drawn by Matplotlib, as SVG elements of the page."""
