"""The command line's commands, one file each; `backend/__main__.py` finds them by name."""
