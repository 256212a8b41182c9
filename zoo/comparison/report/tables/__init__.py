"""Tables as data, for the HTML page and Markdown."""
