"""docs/data_dictionary.md: every table, view and column, as the database itself describes them."""

from itertools import groupby

import sqlalchemy as sa

_HEAD = """# Data dictionary

Generated from the comments in the database by `python -m directive_etl docs`; do not edit.
`reporting` is the public contract: its columns stay, and a breaking change gets a new view. `core` and `ops`
may change.
"""
_SCHEMAS = {
    "reporting": "views for reporting tools; the role `reporting_reader` sees nothing else",
    "core": "what is declared, measured and computed",
    "ops": "what ran, what it read, what it refused, what was published",
}
_COLUMNS = sa.text("""
    select n.nspname as schema_name, c.relname as table_name,
           obj_description(c.oid, 'pg_class') as table_comment,
           a.attname as column_name, format_type(a.atttypid, a.atttypmod) as column_type,
           a.attnotnull as is_required,
           col_description(c.oid, a.attnum) as column_comment,
           coalesce(a.attnum = any(k.conkey), false) as is_key
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    left join pg_constraint k on k.conrelid = c.oid and k.contype = 'p'
    where n.nspname in ('reporting', 'core', 'ops')
      and c.relkind in ('r', 'p', 'v', 'm') and not c.relispartition and c.relname <> 'alembic_version'
    order by n.nspname, c.relname, a.attnum
""")
_FUNCTIONS = sa.text("""
    select p.proname as function_name, pg_get_function_identity_arguments(p.oid) as arguments,
           obj_description(p.oid, 'pg_proc') as comment
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where n.nspname = 'reporting' order by 1, 2
""")


def dictionary_page(engine: sa.Engine) -> str:
    """Return the page, from the catalog of a migrated warehouse."""
    with engine.connect() as connection:
        columns = connection.execute(_COLUMNS).all()
        functions = connection.execute(_FUNCTIONS).all()
    by_schema = {name: list(rows) for name, rows in groupby(columns, key=lambda row: row.schema_name)}
    parts = [_HEAD]
    for schema, meaning in _SCHEMAS.items():
        parts.append(f"\n## {schema}\n{meaning[0].upper()}{meaning[1:]}.\n")
        for table, rows in groupby(by_schema.get(schema, []), key=lambda row: row.table_name):
            parts.append(_table(f"{schema}.{table}", list(rows)))
        if schema == "reporting":
            parts += [
                f"\n### reporting.{one.function_name}({one.arguments})\n{_text(one.comment)}\n"
                for one in functions
            ]
    return "".join(parts)


def _table(name: str, rows: list[sa.Row[tuple[object, ...]]]) -> str:
    lines = [
        f"\n### {name}\n{_text(rows[0].table_comment)}\n\n| column | type | | meaning |\n|---|---|---|---|\n"
    ]
    for row in rows:
        flag = "key" if row.is_key else "required" if row.is_required else ""
        lines.append(f"| `{row.column_name}` | {row.column_type} | {flag} | {_text(row.column_comment)} |\n")
    return "".join(lines)


def _text(comment: str | None) -> str:
    return (comment or "").replace("|", "\\|").replace("\n", " ")
