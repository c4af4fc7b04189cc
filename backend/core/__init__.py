"""Words every module uses. Imports nothing of ours."""
