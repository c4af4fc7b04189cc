"""Credit decisions (授信决策): facts in, an explainable and repeatable outcome out. See README.md."""
