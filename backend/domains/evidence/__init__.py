"""What was asked outside about a person for a case, and what came back (取证)."""
