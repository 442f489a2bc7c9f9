"""The warehouse: does each role get in, may it do what it must and no more, is the schema the newest."""

from collections.abc import Iterator

import sqlalchemy as sa
from alembic.script import ScriptDirectory

from directive_etl.doctor.finding import Finding
from directive_etl.settings import Settings
from directive_etl.warehouse.reporting import VIEWS
from directive_etl.warehouse.schema import alembic_config

_ROLES = {
    "migration_url": "the schema owner",
    "warehouse_url": "etl_loader",
    "reader_url": "reporting_reader",
}
_VIEWS_THERE = sa.text("select table_name from information_schema.views where table_schema = 'reporting'")
_MAY_WRITE = sa.text("""
    select to_regclass('ops.load_batch') is not null
       and has_table_privilege(to_regclass('ops.load_batch'), 'insert')
       and has_table_privilege(to_regclass('core.observation'), 'insert')
""")
_MAY_TOO_MUCH = sa.text("""
    select (select rolsuper from pg_roles where rolname = current_user)
        or has_schema_privilege('core', 'usage') or has_schema_privilege('ops', 'usage')
""")


def short_engine(url: str) -> sa.Engine:
    """Return an engine that gives up after a few seconds."""
    return sa.create_engine(url, poolclass=sa.NullPool, connect_args={"connect_timeout": 5})


def examine_warehouse(known: Settings) -> Iterator[Finding]:
    """Find roles that do not get in or may too much, an old schema, missing views."""
    reached: dict[str, sa.Engine] = {}
    for name, role in _ROLES.items():
        if (secret := getattr(known, name)) is None:
            continue
        try:
            engine = short_engine(secret.get_secret_value())
            with engine.connect():
                reached[name] = engine
        except (sa.exc.SQLAlchemyError, ValueError) as error:
            yield _not_reached(f"DIRECTIVE_ETL_{name.upper()}", role, error)
    if owner := reached.get("migration_url"):
        yield from _examine_schema(owner)
    if loader := reached.get("warehouse_url"):
        with loader.connect() as connection:
            may_write = connection.execute(_MAY_WRITE).scalar()
        cure = "run `python -m directive_etl migrate`: it grants the rights"
        yield Finding(
            "rights of etl_loader", "may write" if may_write else "may not write", "" if may_write else cure
        )
    if reader := reached.get("reader_url"):
        yield from _examine_reader(reader)


def _examine_schema(engine: sa.Engine) -> Iterator[Finding]:
    cure = "run `python -m directive_etl migrate`"
    with engine.connect() as connection:
        head = ScriptDirectory.from_config(alembic_config(connection)).get_current_head()
        config = connection.execute(
            sa.text("select n.nspname from pg_class c join pg_namespace n on n.oid = c.relnamespace "
                    "where c.relname = 'alembic_version' and c.relkind = 'r' limit 1")
        ).scalar()  # fmt: skip
        current = None
        if config is not None:
            current = connection.execute(
                sa.text(f'select version_num from "{config}".alembic_version')
            ).scalar()
        views = set(connection.execute(_VIEWS_THERE).scalars())
    said = f"at revision {current or 'none'}, the code is at {head}"
    yield Finding("migrations", said, "" if current == head else cure)
    missing = sorted(set(VIEWS) - views)
    if missing:
        yield Finding("reporting views", f"missing: {', '.join(missing)}", cure)
    else:
        yield Finding("reporting views", f"{len(VIEWS)} are there")


def _examine_reader(engine: sa.Engine) -> Iterator[Finding]:
    try:
        with engine.connect() as connection:
            too_much = connection.execute(_MAY_TOO_MUCH).scalar()
    except sa.exc.ProgrammingError:
        return  # there is no such schema yet: said by the migrations
    if too_much:
        yield Finding(
            "rights of reporting_reader",
            "sees more than the schema reporting",
            "use the role reporting_reader in DIRECTIVE_ETL_READER_URL, and run `python -m directive_etl migrate`",
        )
    else:
        yield Finding("rights of reporting_reader", "sees the schema reporting only")


def _not_reached(variable: str, role: str, error: Exception) -> Finding:
    text = str(error)
    subject = f"warehouse as {role}"
    if "password authentication failed" in text:
        return Finding(
            subject, "the password is refused", f"correct the password in {variable}, or set the role's"
        )
    if "does not exist" in text:
        return Finding(
            subject, "there is no such database or role", f"correct {variable}, or create the database"
        )
    if isinstance(error, sa.exc.OperationalError):
        return Finding(
            subject, "no answer", f"start PostgreSQL (`make up`), or correct host and port in {variable}"
        )
    return Finding(
        subject, "its address cannot be read", f"write {variable} as postgresql+psycopg://user:pw@host/db"
    )
