"""营销: campaigns, reviewed material and the responsible codes that carry them (N1, A3-05, D4)."""
