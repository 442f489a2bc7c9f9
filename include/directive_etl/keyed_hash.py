"""The keyed hash that stands for a phone number or a dossier outside the landing zone, in Python and in DuckDB.

It is the first 8 bytes of SHA-256(SHA-256(hash_key) + text) as a signed, big-endian integer. HMAC would hash four
blocks instead of one; what it guards against besides, that a known digest is continued to that of a longer text, cannot
be done with a quarter of a digest. The key travels as a parameter and never as part of a statement.
"""

import hashlib

import duckdb


def keyed_hash(hash_key: str, text: str) -> int:
    """Return the keyed hash of one text.

    Args:
        hash_key: the secret.
        text: what must not be known, such as 84901234567 or the code of a dossier.
    """
    digest = hashlib.sha256(_block(hash_key) + text.encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def create_keyed_hash_macro(connection: duckdb.DuckDBPyConnection, hash_key: str) -> None:
    """Give the connection a macro `keyed_hash(text, key_block)` and a table `hash_key` with its key_block.

    Use it as `SELECT keyed_hash(text, key_block) FROM texts, hash_key`; text is VARCHAR, the result BIGINT.
    """
    connection.execute("CREATE TABLE hash_key AS SELECT $1::BLOB AS key_block", [_block(hash_key)])
    connection.execute(
        """
        CREATE MACRO signed(bits) AS
            CASE WHEN bits < 9223372036854775808 THEN bits::BIGINT
                ELSE (bits::HUGEINT - 18446744073709551616)::BIGINT END;
        CREATE MACRO keyed_hash(text, key_block) AS
            signed(('0x' || sha256(key_block || encode(text))[1:16])::UBIGINT);
        """
    )


def _block(hash_key: str) -> bytes:
    """Return the key in 32 bytes, however long it is."""
    return hashlib.sha256(hash_key.encode()).digest()
