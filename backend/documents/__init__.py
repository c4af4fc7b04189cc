"""Papers and pictures with legal weight: contract, 明示表, consents (typst) and posters (pillow)."""
