"""How Sphinx makes the site of the pages that stage.py has laid out. Nothing is fetched."""

from __future__ import annotations

import splashdown

project = "Splashdown"
author = "The Splashdown developers"
version = release = splashdown.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx_copybutton"]
root_doc = "index"
myst_heading_anchors = 4  # the anchors that a page has on its own
autodoc_default_options = {"members": True, "show-inheritance": True, "member-order": "bysource"}
autodoc_typehints = "signature"
python_use_unqualified_type_names = True

html_theme = "pydata_sphinx_theme"
html_title = "Splashdown"
html_show_copyright = False
html_copy_source = False
html_theme_options = {
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "navbar_end": ["theme-switcher"],
    "footer_start": [],
    "footer_end": ["theme-version"],
}
copybutton_exclude = ".linenos, .gp, .go"  # a copied line begins after its prompt
