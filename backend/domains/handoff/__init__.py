"""The way into the mobile bank (移交): single-use tokens and short codes."""
