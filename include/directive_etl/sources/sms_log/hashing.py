"""The keyed hash that stands for a phone number outside the landing zone; digits, such as 84901234567."""

from directive_etl.keyed_hash import create_keyed_hash_macro, keyed_hash

__all__ = ["create_keyed_hash_macro", "keyed_hash"]
