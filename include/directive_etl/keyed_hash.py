"""The keyed hash that stands for a phone number or a dossier outside the landing zone, in Python and in DuckDB.

It is the first 8 bytes of HMAC-SHA256(hash_key, text) as a signed, big-endian integer. DuckDB has no HMAC, so its two
rounds of SHA-256 are written out; the padded keys travel as parameters and never as part of a statement.
"""

import hashlib
import hmac

import duckdb

_BLOCK_SIZE = 64


def keyed_hash(hash_key: str, text: str) -> int:
    """Return the keyed hash of one text.

    Args:
        hash_key: the secret.
        text: what must not be known, such as 84901234567 or the code of a dossier.
    """
    digest = hmac.digest(hash_key.encode(), text.encode(), "sha256")
    return int.from_bytes(digest[:8], "big", signed=True)


def create_keyed_hash_macro(connection: duckdb.DuckDBPyConnection, hash_key: str) -> None:
    """Give the connection a macro `keyed_hash(text, inner_key, outer_key)` and a table `hash_keys` with its keys.

    Use it as `SELECT keyed_hash(text, inner_key, outer_key) FROM texts, hash_keys`; text is VARCHAR, the result
    BIGINT.
    """
    key = hash_key.encode()
    if len(key) > _BLOCK_SIZE:
        key = hashlib.sha256(key).digest()
    key = key.ljust(_BLOCK_SIZE, b"\0")
    inner_key, outer_key = (bytes(byte ^ pad for byte in key) for pad in (0x36, 0x5C))
    connection.execute(
        "CREATE TABLE hash_keys AS SELECT $1::BLOB AS inner_key, $2::BLOB AS outer_key",
        [inner_key, outer_key],
    )
    connection.execute(
        """
        CREATE MACRO first_eight_bytes(hex) AS ('0x' || hex[1:16])::UBIGINT;
        CREATE MACRO keyed_hash_hex(number, inner_key, outer_key) AS
            sha256(outer_key || unhex(sha256(inner_key || encode(number))));
        CREATE MACRO signed(bits) AS
            CASE WHEN bits < 9223372036854775808 THEN bits::BIGINT
                ELSE (bits::HUGEINT - 18446744073709551616)::BIGINT END;
        CREATE MACRO keyed_hash(number, inner_key, outer_key) AS
            signed(first_eight_bytes(keyed_hash_hex(number, inner_key, outer_key)));
        """
    )
