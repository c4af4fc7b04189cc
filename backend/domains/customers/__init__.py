"""快贷客户: people, their WeChat bindings and their consents (A3-18, D3)."""
