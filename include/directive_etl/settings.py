"""Settings from the environment (prefix DIRECTIVE_ETL_); .env.example lists each.

`.local/env`, written by the local stack, is read as well, so that commands typed by hand find the same places.
"""

from datetime import date
from functools import cache
from pathlib import Path

from pydantic import BaseModel, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from directive_etl.errors import ConfigurationError


class SystemConnection(BaseModel):
    """Where a portal system answers, and as whom we log in.

    A redirect is followed to `redirect_hosts` only; `ca_file` holds the certificate of a host that signed its own.
    """

    base_url: str
    username: str = ""
    password: SecretStr = SecretStr("")
    redirect_hosts: tuple[str, ...] = ()
    ca_file: Path | None = None


class Settings(BaseSettings):
    """Every setting of the pipeline, with its default where one is safe."""

    model_config = SettingsConfigDict(
        env_prefix="DIRECTIVE_ETL_",
        env_file=(".local/env", ".env"),
        env_ignore_empty=True,  # Compose hands on what is not set as an empty text
        extra="ignore",
        frozen=True,
    )

    migration_url: SecretStr | None = Field(
        None, description="SQLAlchemy URL of the schema owner, for `migrate`."
    )
    warehouse_url: SecretStr | None = Field(None, description="SQLAlchemy URL of the role etl_loader.")
    reader_url: SecretStr | None = Field(None, description="SQLAlchemy URL of the role reporting_reader.")
    landing: Path = Field(
        Path(".local/landing"), description="Write-once zone with the bytes exactly as sent."
    )
    drop: str = Field(
        ".local/drop",
        description="Where operators drop SMS logs: sms/<operator>/<day>/*. A folder, sftp:// or s3://.",
    )
    inbox: str = Field(
        ".local/inbox", description="Where units drop reports: <unit_code>/*. A folder, sftp:// or s3://."
    )
    outbox: str = Field(
        ".local/outbox",
        description="Where units find our answers: <unit_code>/*. A folder, sftp:// or s3://.",
    )
    mailbox: str = Field(
        "", description="Where units send reports by e-mail: imap://CONNECTION@/FOLDER; empty for none."
    )
    mailbox_senders: dict[str, str] = Field(
        default_factory=dict, description="JSON by e-mail address of a sender: the code of the unit."
    )
    mailbox_authserv_id: str = Field(
        "",
        description="The mail server whose Authentication-Results are believed; `*` believes every sender.",
    )
    settle_seconds: float = Field(
        5.0, ge=0, description="A file younger than this is looked at twice. Unit: seconds."
    )
    unfinished_limit_days: int = Field(
        1, ge=0, description="A file that stays unfinished longer raises an alert. Unit: days."
    )
    reports: Path = Field(Path(".local/reports"), description="Official reports, one folder a day.")
    hash_key: SecretStr | None = Field(
        None, description="Key of the hashes that stand for phone numbers and dossiers."
    )
    system_connections: dict[str, SystemConnection] = Field(
        default_factory=dict,
        description="JSON by system code: base_url, username, password, redirect_hosts, ca_file.",
    )
    duckdb_memory_limit: str = Field(
        "512MB", description="Memory DuckDB may use for one task before it spills."
    )
    largest_log_bytes: int = Field(
        32_000_000_000, description="A log that unpacks to more is refused. Unit: bytes."
    )
    last_day: date | None = Field(
        None, description="No scheduled run is about a later day; for sources that ended."
    )
    landing_retention_days: int = Field(
        400,
        ge=31,
        description="SMS logs and portal pages stay in the landing zone this long after their day. Unit: days.",
    )
    alerts: Path = Field(Path(".local/alerts"), description="The open alerts; shared by all workers.")
    alert_smtp_url: SecretStr | None = Field(
        None, description="Mail server of alerts: smtp://, smtp+starttls:// or smtps://user:pw@host:port."
    )
    alert_mail_from: str = Field("directive-etl@localhost", description="Sender of the mails.")
    alert_mail_to: tuple[str, ...] = Field((), description="JSON list: who gets alerts by mail.")
    summary_mail_to: tuple[str, ...] = Field(
        (), description="JSON list: who gets the morning summary; those who get alerts by default."
    )
    alert_webhook_url: SecretStr | None = Field(
        None, description="Takes alerts, recoveries and summaries as JSON by POST."
    )
    public_url: str = Field("http://localhost:8080", description="Address of Airflow as people reach it.")
    runbook_url: str = Field("docs/alerts.md", description="Address of docs/alerts.md, for links in alerts.")
    openlineage_url: str | None = Field(
        None, description="Takes lineage events by HTTP (OpenLineage); none are made without it."
    )
    otlp_metrics_url: str | None = Field(
        None, description="Takes metrics by OTLP over HTTP, e.g. http://collector:4318/v1/metrics."
    )
    code_version: str = Field("unversioned", description="Commit of the running code, kept with every batch.")

    def require(self, name: str) -> str:
        """Return the text of a setting that must be set.

        Raises:
            ConfigurationError: the setting is empty.
        """
        value = getattr(self, name)
        if value is None:
            variable = f"DIRECTIVE_ETL_{name.upper()}"
            raise ConfigurationError(f"{variable} is not set: run `make up`, or set it (see .env.example)")
        return value.get_secret_value() if isinstance(value, SecretStr) else str(value)


@cache
def settings() -> Settings:
    """Read the settings once per process.

    Raises:
        ConfigurationError: a variable has a value that cannot be read; all of them are named.
    """
    try:
        return Settings()
    except ValidationError as error:
        faults = "; ".join(
            f"DIRECTIVE_ETL_{fault['loc'][0]}".upper() + f": {fault['msg']}" for fault in error.errors()
        )
        raise ConfigurationError(f"settings: {faults}") from None
