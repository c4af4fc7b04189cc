"""One module per pretended system: its operations, its refusals, its effects."""
