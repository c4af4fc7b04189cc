"""试算: what a draft would have decided, and batches of scores. See README.md."""
