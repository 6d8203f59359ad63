"""features.py: what this server.conf can say; what it cannot say is told."""

HEADERS_BLOCKS = False  # headers "*.html" { ... }
