"""What happens to a line once money is drawn: checks before each drawdown, early warnings (A3-25, A6-06)."""
