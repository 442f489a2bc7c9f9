"""What can go wrong, as a person on call needs it: who acts, what it means, what to press. One list, first match wins.

docs/runbook.md has a section per cause, and a test holds the two together.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Cause:
    """A cause and its cure.

    Attributes:
        code: its name, and its section in docs/runbook.md.
        owner: who acts.
        means: what follows for the figures.
        action: what to do, in words of the pages.
        dag_id: the DAG that the button of the alert starts; empty when the DAG that failed is to be run again.
        is_shared: one alert for every task it hits, because the machine or the warehouse is at fault, not a source.
        kinds: names of the exceptions it is known by, their bases included; empty for any.
        says: what one of their messages says; empty for anything.
        source: the source it is about; empty for any.
    """

    code: str
    owner: str
    means: str
    action: str
    dag_id: str = ""
    is_shared: bool = False
    kinds: frozenset[str] = field(default=frozenset(), repr=False)
    says: str = field(default="", repr=False)
    source: str = field(default="", repr=False)

    def fits(self, kinds: frozenset[str], text: str, source: str) -> bool:
        """Say whether an error of these kinds with this text has this cause."""
        return (
            (not self.kinds or bool(self.kinds & kinds))
            and (not self.source or self.source == source)
            and re.search(self.says, text, re.IGNORECASE) is not None
        )


def _warehouse(
    code: str, means: str, action: str, *kinds: str, says: str = "", dag_id: str = "", owner: str = "engineer"
) -> Cause:
    return Cause(code, owner, means, action, dag_id, True, frozenset(kinds), says)


ENGINEER, SOURCE_OWNER, STEWARD = "engineer", "source owner", "data steward"
AGAIN = "Press “Run again” in this alert, or Run this day again on the page."

# How a message about a place on the network begins.
_ADDRESS = "(?m)^(sftp|s3|imap)://"

# Known by no exception.
OVERDUE_CLOSE = Cause(
    "close_overdue", ENGINEER, "The day is not closed: no list of silent units and no official report yet.",
    "See what the run of daily_close waits for; press “Run again” to close the day.", "daily_close",
)  # fmt: skip
UNKNOWN = Cause(
    "unexpected_error", "developer", "A fault of the code; the day's figures of this part are as they were before.",
    "Read the log of the task; press “Run again” once it is mended.",
)  # fmt: skip

CAUSES: tuple[Cause, ...] = (
    _warehouse(
        "warehouse_password", "Nothing can be loaded: the warehouse refuses our password.",
        "Set the password of the role, or the setting DIRECTIVE_ETL_WAREHOUSE_URL; then “Run again”.",
        "OperationalError", says="password authentication failed|no password supplied",
    ),
    _warehouse(
        "warehouse_not_found", "Nothing can be loaded: there is no such database or role.",
        "Correct DIRECTIVE_ETL_WAREHOUSE_URL; then “Run again”.",
        "OperationalError", says=r"(database|role) .* does not exist",
    ),
    _warehouse(
        "warehouse_full", "Nothing can be loaded: the disk of the warehouse is full. What was loaded is whole.",
        "Enlarge the disk of PostgreSQL; then “Run again”.", "DiskFull", "OperationalError",
        says="no space left on device|could not extend file",
    ),
    _warehouse(
        "warehouse_busy", "The warehouse takes no more connections.",
        "Wait for the other runs, or raise max_connections; then “Run again”.",
        "OperationalError", says="too many (clients|connections)|remaining connection slots",
    ),
    _warehouse(
        "warehouse_lock", "Two transactions waited for each other; one was undone, nothing is half done.",
        AGAIN, "DeadlockDetected", "LockNotAvailable", "SerializationFailure", "QueryCanceled",
    ),
    _warehouse(
        "warehouse_away", "Nothing can be loaded while PostgreSQL does not answer; the pages show no figures.",
        "Start PostgreSQL; then “Run again”: no input is lost.", "OperationalError", "InterfaceError", "AdminShutdown",
    ),
    _warehouse(
        "migration_missing", "The code is newer than the schema of the warehouse.",
        "Press “Migrate the warehouse”, then run the day again.", "UndefinedTable", "UndefinedColumn",
        "UndefinedFunction", "InvalidSchemaName", dag_id="migrate_warehouse",
    ),
    _warehouse(
        "warehouse_rights", "The role that loads may not write.",
        "Press “Migrate the warehouse”: it grants the rights; then run the day again.",
        "InsufficientPrivilege", dag_id="migrate_warehouse",
    ),
    _warehouse(
        "warehouse_read_only", "The warehouse takes no writes: it is a standby, or was set read-only.",
        "Point DIRECTIVE_ETL_WAREHOUSE_URL to the primary; then “Run again”.", "ReadOnlySqlTransaction",
    ),
    _warehouse(
        "registry_not_loaded", "A declared code is not in the warehouse: the registry is newer than it.",
        "Press “Migrate the warehouse”: it loads the registry; then run the day again.",
        "ForeignKeyViolation", dag_id="migrate_warehouse",
    ),
    Cause(
        "place_away", SOURCE_OWNER, "A place on the network cannot be reached; what lies there waits, nothing is lost.",
        "Ask its owner, or correct its connection in Airflow (Admin, Connections): the doctor on the page Alerts tries "
        "it; then press “Run again”.",
        "", True, frozenset({"SourceUnavailableError"}), _ADDRESS,
    ),
    Cause(
        "connection_wrong", ENGINEER, "The connection of a place on the network is missing or not complete.",
        "Make or complete the connection named in the message in Airflow (Admin, Connections); then press “Run again”.",
        "", True, frozenset({"ConfigurationError"}), _ADDRESS,
    ),
    Cause(
        "file_unfinished", SOURCE_OWNER, "A file stays unfinished and is not counted; all others are.",
        "Ask the sender of the file named in the message to send it whole, or to remove it; then press “Run again”.",
        "", False, frozenset({"UnfinishedFileError"}),
    ),
    Cause(
        "log_missing", SOURCE_OWNER, "The operator's messages of the day are not counted; all other parts are.",
        "Ask the operator; when the files are there, press “Run again”.",
        "sms_log", False, frozenset({"SourceUnavailableError"}), source="sms_log",
    ),
    Cause(
        "portal_away", SOURCE_OWNER, "The system's dossiers of the day are not in; all other parts are.",
        "Ask the portal's owner; when it answers, press “Run again”.",
        "service_portal", False, frozenset({"SourceUnavailableError"}), source="service_portal",
    ),
    Cause(
        "portal_login", ENGINEER, "The portal refuses our user or password; its dossiers of the day are not in.",
        "Correct user and password of the connection directive_etl_<system> in Airflow (Admin, Connections); "
        "then press “Run again”.",
        "service_portal", False, frozenset({"ConfigurationError"}), "login not accepted|login: not accepted",
        "service_portal",
    ),
    Cause(
        "portal_certificate", ENGINEER, "The portal's certificate is not trusted; its dossiers are not in.",
        "Ask the owner; if it is right, give it as ca_file in the extra of the connection directive_etl_<system>; "
        "then press “Run again”.",
        "service_portal", False, frozenset({"ConfigurationError"}), "certificate", "service_portal",
    ),
    Cause(
        "portal_redirect", ENGINEER, "The portal sends us to another host, which was refused; its dossiers are not in.",
        "Ask the owner; if it is right, add the host to redirect_hosts in the extra of the connection; then "
        "press “Run again”.",
        "service_portal", False, frozenset({"SourceChangedError"}), "a redirect to", "service_portal",
    ),
    Cause(
        "portal_unknown", ENGINEER, "Nobody said where the system answers; its dossiers are not in.",
        "Make or complete the connection directive_etl_<system> in Airflow (Admin, Connections); "
        "then press “Run again”.",
        "service_portal", False, frozenset({"ConfigurationError"}),
        "DIRECTIVE_ETL_SYSTEM_CONNECTIONS|the Airflow connection", "service_portal",
    ),
    Cause(
        "source_changed", SOURCE_OWNER, "What was sent no longer has the agreed form; nothing of it was loaded.",
        "Send the owner the message and the file it names; when it is mended, press “Run again”.",
        "", False, frozenset({"SourceChangedError"}),
    ),
    Cause(
        "batch_held", STEWARD, "A critical check failed, so this part of the day is kept out; all else stands.",
        "Look at the batch on the page Quality: release it with a reason, or reject it and ask the owner.",
        "decide_batch", False, frozenset({"RefusedBatchError"}),
    ),
    Cause(
        "registry_wrong", STEWARD, "A declared file has mistakes; what depends on it does not run.",
        "Correct the file named in the message; then press “Run again”.", "", True, frozenset({"RegistryError"}),
    ),
    Cause(
        "setting_missing", ENGINEER, "A setting is missing or wrong; what depends on it does not run.",
        "Set the variable named in the message; then press “Run again”.",
        "", True, frozenset({"ConfigurationError"}),
    ),
    Cause(
        "disk_full", ENGINEER, "Nothing can land: the disk of the landing zone is full. What landed is whole.",
        "Press “Free the disk” (it deletes logs past their retention), or enlarge the disk; then run the day again.",
        "warehouse_care", True, frozenset({"OSError", "duckdb.IOException"}), "no space left|disk quota|errno 28",
    ),
    Cause(
        "folder_closed", ENGINEER, "A folder cannot be read or written by the user that runs the tasks.",
        "Give it the right on the folder named in the message; then press “Run again”.",
        "", True, frozenset({"PermissionError"}),
    ),
    Cause(
        "folder_read_only", ENGINEER, "A folder is mounted read-only.",
        "Mount it read-write; then press “Run again”.", "", True, frozenset({"OSError"}), "read-only file system",
    ),
    Cause(
        "folder_missing", ENGINEER, "A folder is not there: it was moved, or is not mounted.",
        "Mount or make the folder named in the message; then press “Run again”.",
        "", True, frozenset({"FileNotFoundError", "NotADirectoryError"}),
    ),
    Cause(
        "memory_short", ENGINEER, "The task needed more memory than it may use; nothing is half done.",
        "Raise DIRECTIVE_ETL_DUCKDB_MEMORY_LIMIT or run fewer tasks at once; then press “Run again”.",
        "", True, frozenset({"MemoryError", "duckdb.OutOfMemoryException"}),
    ),
)  # fmt: skip


def diagnose(error: BaseException | str | None, source: str) -> Cause:
    """Return the cause of an error, from its kinds and messages and those of what caused it."""
    if not isinstance(error, BaseException):
        return UNKNOWN
    chain = list(_iter_chain(error))
    kinds = frozenset(_name(cls) for one in chain for cls in type(one).__mro__)
    text = "\n".join(str(one) for one in chain)
    return next((cause for cause in CAUSES if cause.fits(kinds, text, source)), UNKNOWN)


def _name(cls: type) -> str:
    # DuckDB has an OperationalError too, and it is not the warehouse's.
    return f"duckdb.{cls.__name__}" if "duckdb" in cls.__module__ else cls.__name__


def _iter_chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error, what it was raised from, the driver's error inside, and the members of a group."""
    pending: list[BaseException | None] = [error]
    seen: set[int] = set()
    while pending:
        one = pending.pop(0)
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        pending += [one.__cause__, getattr(one, "orig", None)]
        if isinstance(one, BaseExceptionGroup):
            pending += one.exceptions
