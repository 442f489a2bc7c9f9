"""Pages of docs/ that are made from the code and the database, so that they are never out of date."""

from directive_etl.handbook.pages import fresh_pages, stale_pages, write_pages

__all__ = ["fresh_pages", "stale_pages", "write_pages"]
