"""Loans (借据): the mirror of what the mobile bank reports as drawn and repaid."""
