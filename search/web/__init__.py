"""A page and an HTTP API over indexes."""

__all__: list[str] = []
