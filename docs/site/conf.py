"""conf.py: what Sphinx makes of the tree's Markdown. Read by sphinx-build in the folder that build.py stages; no other
configuration. docs/decisions/0066 tells why Sphinx."""

project = "gearshift"
html_title = "gearshift"
extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
root_doc = "index"
exclude_patterns = ["extra"]  # what build.py copies into the site
# Anchors of headings as GitHub makes them, since the same pages are read there.
myst_heading_anchors = 4
suppress_warnings = ["myst.header", "misc.highlighting_failure"]

html_theme = "furo"
html_baseurl = ""
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_copy_source = False
html_show_copyright = False
html_last_updated_fmt = None
pygments_style = "default"
pygments_dark_style = "native"
highlight_language = "none"
