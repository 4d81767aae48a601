"""A page and an HTTP API over indexes."""
