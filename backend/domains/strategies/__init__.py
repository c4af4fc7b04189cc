"""策略 (strategies): versions of what decides, from a draft to the day they are retired."""
