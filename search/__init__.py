"""kindred: sentences alike in meaning and, when asked, alike in feeling.

The four stages, each one job: `search.finetune`, `search.indexing`, `search.query`, `search.duplicates`.
Nothing heavy is imported here; import the module of the stage.
"""

__all__ = ["__version__"]

__version__ = "0.1.0"
