"""Training and validating a model from any table; nothing that serves people imports this (A3-37)."""
