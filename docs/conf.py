"""How Sphinx builds the site: `make site`. Its root is the repository, so that pages may link to results and code."""

project = "GAN zoo"
author = "The GAN zoo's authors"
copyright = "Apache-2.0"
extensions = ["myst_parser"]
html_theme = "furo"
html_title = "GAN zoo"
html_theme_options = {"navigation_with_keys": True}
root_doc = "docs/index"
include_patterns = [
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "docs/**.md",
    "benchmarks/**.md",
    "zoo/**/SOURCE.md",
    "zoo/data/**.md",
]
myst_enable_extensions = ["html_image"]
myst_heading_anchors = 4
suppress_warnings = [
    "toc.not_included",  # pages are reached by links
    "myst.header",  # some begin with a picture
    "image.not_readable",  # reports show pictures of runs that are not kept; a test looks at those of other pages
]
