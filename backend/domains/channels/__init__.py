"""Channels (渠道): how a customer reaches us and how we may reach them."""
