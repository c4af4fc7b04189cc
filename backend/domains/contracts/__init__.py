"""Contracts (合同): approved terms, the confirmed 明示表, and the documents that are signed."""
