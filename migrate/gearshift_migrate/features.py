"""features.py: what this server.conf can say; what it cannot say is told."""

MAPS = False           # map blocks
HEADERS_BLOCKS = False  # headers "*.html" { ... }
