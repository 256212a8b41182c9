"""Tables as data, which the page and Markdown lay out."""
