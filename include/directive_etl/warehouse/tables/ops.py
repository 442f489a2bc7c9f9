"""Schema `ops`: what ran, what it read, what it refused, what was expected, what was published."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from directive_etl.warehouse.tables.metadata import Moment, metadata

landed_file = sa.Table(
    "landed_file",
    metadata,
    sa.Column("sha256", sa.Text, primary_key=True, comment="SHA-256 of the bytes as sent, in hexadecimal."),
    sa.Column("source_code", sa.Text, primary_key=True, comment="sms_log, service_portal or unit_report."),
    sa.Column(
        "part_code", sa.Text, primary_key=True, comment="Operator, portal system or unit that sent it."
    ),
    sa.Column("report_date", sa.Date, primary_key=True, comment="Day under which it landed."),
    sa.Column(
        "origin", sa.Text, nullable=False, comment="Name or address it came from, long numbers masked."
    ),
    sa.Column("known_at", Moment, nullable=False, comment="When it reached us, by the channel's clock."),
    sa.Column("size_bytes", sa.BigInteger, nullable=False, comment="Size. Unit: bytes."),
    sa.CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name="sha256_is_hex"),
    sa.CheckConstraint("size_bytes >= 0", name="size_not_negative"),
    schema="ops",
    comment="One row per file in the landing zone. The bytes themselves are there, never here.",
)

load_batch = sa.Table(
    "load_batch",
    metadata,
    sa.Column(
        "batch_id", sa.BigInteger, sa.Identity(always=True), primary_key=True, comment="Number of the batch."
    ),
    sa.Column(
        "source_code", sa.Text, nullable=False, comment="sms_log, service_portal, unit_report or pipeline."
    ),
    sa.Column(
        "part_code",
        sa.Text,
        nullable=False,
        comment="Operator, portal system or unit; `all` for the whole source.",
    ),
    sa.Column("report_date", sa.Date, nullable=False, comment="Day the batch is about."),
    sa.Column(
        "status_code",
        sa.Text,
        nullable=False,
        comment="loaded, refused or duplicate (the same bytes were answered before).",
    ),
    sa.Column(
        "input_hash", sa.Text, nullable=False, comment="Hash of the content of every file read, in order."
    ),
    sa.Column(
        "known_at",
        Moment,
        nullable=False,
        comment="When the newest input reached us, by the channel's clock.",
    ),
    sa.Column(
        "read_count", sa.Integer, nullable=False, comment="Rows read. Unit: rows (lines, records, figures)."
    ),
    sa.Column("loaded_count", sa.Integer, nullable=False, comment="Of those, rows that went into figures."),
    sa.Column("refused_count", sa.Integer, nullable=False, comment="Of those, rows refused with a reason."),
    sa.Column("duplicate_count", sa.Integer, nullable=False, comment="Of those, rows sent more than once."),
    sa.Column(
        "unchanged_count", sa.Integer, nullable=False, comment="Of those, rows the warehouse already held."
    ),
    sa.Column(
        "late_count",
        sa.Integer,
        nullable=False,
        server_default="0",
        comment="Of those loaded or sent more than once, delivery receipts for days that were final; they change nothing.",
    ),
    sa.Column(
        "critical_failed_count",
        sa.Integer,
        nullable=False,
        comment="Failed critical checks, or errors in a report.",
    ),
    sa.Column(
        "warning_failed_count", sa.Integer, nullable=False, comment="Failed checks of severity warning."
    ),
    sa.Column(
        "reason",
        sa.Text,
        nullable=False,
        server_default="",
        comment="Why the batch was refused; empty when loaded.",
    ),
    sa.Column("code_version", sa.Text, nullable=False, comment="Commit of the code that made the batch."),
    sa.Column(
        "recorded_at",
        Moment,
        nullable=False,
        server_default=sa.text("now()"),
        comment="When the batch was written.",
    ),
    sa.CheckConstraint(
        "read_count = loaded_count + refused_count + duplicate_count + unchanged_count",
        name="nothing_is_lost",
    ),
    sa.CheckConstraint("late_count BETWEEN 0 AND loaded_count + duplicate_count", name="late_are_loaded"),
    sa.CheckConstraint(
        "least(read_count, loaded_count, refused_count, duplicate_count, unchanged_count, "
        "critical_failed_count, warning_failed_count) >= 0",
        name="counts_not_negative",
    ),
    sa.CheckConstraint("status_code IN ('loaded', 'refused', 'duplicate')", name="status_known"),
    sa.CheckConstraint("(status_code = 'refused') = (reason <> '')", name="refused_with_a_reason"),
    sa.Index("load_batch_lookup_idx", "source_code", "part_code", "report_date"),
    schema="ops",
    comment="The ledger: one row per batch that changed something or was refused. A repeated run writes nothing.",
)

batch_file = sa.Table(
    "batch_file",
    metadata,
    sa.Column("batch_id", sa.ForeignKey("ops.load_batch.batch_id"), primary_key=True, comment="The batch."),
    sa.Column("sha256", sa.Text, primary_key=True, comment="A file it read: ops.landed_file."),
    schema="ops",
    comment="Which landed files each batch read, so that every number can be traced to bytes.",
)

refused_row = sa.Table(
    "refused_row",
    metadata,
    sa.Column(
        "refused_row_id",
        sa.BigInteger,
        sa.Identity(always=True),
        primary_key=True,
        comment="Number of the row.",
    ),
    # Without a foreign key: looking up the batch of each row took half of the time of a load (docs/decisions/0006).
    sa.Column("batch_id", sa.BigInteger, nullable=False, index=True, comment="The batch that refused it."),
    sa.Column("sha256", sa.Text, nullable=False, comment="The file it stood in: ops.landed_file."),
    sa.Column(
        "place",
        sa.Text,
        nullable=False,
        comment="Where in the file: line, page and record, or sheet and cell.",
    ),
    sa.Column("reason_code", sa.Text, nullable=False, comment="Short code of the reason."),
    sa.Column("reason", sa.Text, nullable=False, comment="What was wrong and what to do, in a sentence."),
    sa.Column(
        "content",
        sa.Text,
        nullable=False,
        comment="What stood there, long numbers masked, at most 500 characters.",
    ),
    schema="ops",
    comment="Every row or file that was not loaded, with its place and reason.",
)

quality_result = sa.Table(
    "quality_result",
    metadata,
    sa.Column(
        "batch_id", sa.ForeignKey("ops.load_batch.batch_id"), primary_key=True, comment="The batch checked."
    ),
    sa.Column(
        "check_number", sa.SmallInteger, primary_key=True, comment="Place of the check in its suite, from 0."
    ),
    sa.Column("suite_name", sa.Text, nullable=False, comment="The declared suite."),
    sa.Column("check_code", sa.Text, nullable=False, comment="The Great Expectations expectation."),
    sa.Column(
        "column_name",
        sa.Text,
        nullable=False,
        comment="Column or columns it looked at; empty for the whole set.",
    ),
    sa.Column("severity", sa.Text, nullable=False, comment="critical keeps the batch out, warning is noted."),
    sa.Column("is_success", sa.Boolean, nullable=False, comment="Whether the expectation held."),
    sa.Column("failed_count", sa.Integer, nullable=False, comment="Rows that failed it. Unit: rows."),
    sa.Column("observed", sa.Text, nullable=False, comment="The observed aggregate, if the check has one."),
    sa.Column("notes", sa.Text, nullable=False, comment="Why the check exists."),
    sa.Column(
        "details",
        JSONB,
        nullable=False,
        server_default="{}",
        comment="The result as Great Expectations gave it, offending values masked; empty for a check of our own.",
    ),
    sa.CheckConstraint("severity IN ('critical', 'warning', 'info')", name="severity_known"),
    schema="ops",
    comment="What each check of each batch found.",
)

expected_report = sa.Table(
    "expected_report",
    metadata,
    sa.Column(
        "directive_code",
        sa.ForeignKey("core.directive.directive_code"),
        primary_key=True,
        comment="Directive.",
    ),
    sa.Column("unit_code", sa.Text, primary_key=True, comment="Unit that may owe a report."),
    sa.Column("report_date", sa.Date, primary_key=True, comment="Day the report is about, local time."),
    sa.Column(
        "is_expected", sa.Boolean, nullable=False, comment="Whether the unit owes a report on that day."
    ),
    sa.Column("due_at", Moment, comment="When it is due; NULL when none is expected."),
    sa.CheckConstraint("is_expected = (due_at IS NOT NULL)", name="due_when_expected"),
    sa.Index("expected_report_report_date_idx", "report_date"),
    schema="ops",
    comment="Who owes a report on which day, from the directive's reporting rules and the working-day calendar.",
)

publication = sa.Table(
    "publication",
    metadata,
    sa.Column(
        "directive_code",
        sa.ForeignKey("core.directive.directive_code"),
        primary_key=True,
        comment="Directive.",
    ),
    sa.Column("report_date", sa.Date, primary_key=True, comment="Day that was closed."),
    sa.Column("closed_at", Moment, nullable=False, comment="The close: 08:00 of the next day, local time."),
    sa.Column("row_count", sa.Integer, nullable=False, comment="Progress rows frozen. Unit: rows."),
    sa.Column("content_hash", sa.Text, nullable=False, comment="SHA-256 of the frozen rows."),
    sa.Column(
        "missing_units", ARRAY(sa.Text), nullable=False, comment="Codes of the units that had not reported."
    ),
    sa.Column(
        "report_path", sa.Text, nullable=False, comment="The official report, relative to the reports folder."
    ),
    sa.Column(
        "recorded_at", Moment, nullable=False, server_default=sa.text("now()"), comment="When it was written."
    ),
    schema="ops",
    comment="One row per closed day: progress as it was known at the close.",
)

accepted_report = sa.Table(
    "accepted_report",
    metadata,
    sa.Column(
        "batch_id", sa.ForeignKey("ops.load_batch.batch_id"), primary_key=True, comment="The accepted report."
    ),
    sa.Column("unit_code", sa.Text, nullable=False, comment="Unit that reported."),
    sa.Column("report_date", sa.Date, nullable=False, comment="Day the report is about."),
    sa.Column("known_at", Moment, nullable=False, comment="When it was received."),
    sa.Column(
        "figures_hash",
        sa.Text,
        nullable=False,
        comment="SHA-256 of its figures: equal for equal figures of any unit.",
    ),
    sa.Index("accepted_report_report_date_figures_hash_idx", "report_date", "figures_hash"),
    schema="ops",
    comment="One row per accepted report, to tell a copy of a neighbour's sheet.",
)

report_warning = sa.Table(
    "report_warning",
    metadata,
    sa.Column(
        "batch_id", sa.ForeignKey("ops.load_batch.batch_id"), primary_key=True, comment="The accepted report."
    ),
    sa.Column(
        "warning_number", sa.SmallInteger, primary_key=True, comment="Place among its warnings, from 0."
    ),
    sa.Column("rule_code", sa.Text, nullable=False, comment="The rule: sources/unit_report/messages.py."),
    sa.Column(
        "measure_code",
        sa.Text,
        nullable=False,
        comment="Measure; empty for a warning about the whole report.",
    ),
    sa.Column("category_code", sa.Text, nullable=False, comment="Category; empty when the measure has none."),
    sa.Column("place", sa.Text, nullable=False, comment="Sheet and cell; empty for the whole report."),
    sa.Column("message", sa.Text, nullable=False, comment="What was warned about, long numbers masked."),
    sa.Column(
        "reason",
        sa.Text,
        comment="Why the unit says it is right, long numbers masked; NULL when it did not say.",
    ),
    schema="ops",
    comment="The warnings of every accepted report, with the reason a unit gave to confirm one.",
)

report_reopening = sa.Table(
    "report_reopening",
    metadata,
    sa.Column(
        "reopening_id",
        sa.BigInteger,
        sa.Identity(always=True),
        primary_key=True,
        comment="Number of the row.",
    ),
    sa.Column("unit_code", sa.Text, nullable=False, comment="Unit that may correct again."),
    sa.Column("report_date", sa.Date, nullable=False, comment="Day that may be corrected."),
    sa.Column("reason", sa.Text, nullable=False, comment="Why an engineer reopened it."),
    sa.Column("open_until", Moment, comment="Reports received up to then are taken; NULL without an end."),
    sa.Column(
        "recorded_at",
        Moment,
        nullable=False,
        server_default=sa.text("now()"),
        comment="When it was reopened.",
    ),
    sa.CheckConstraint("btrim(reason) <> ''", name="with_a_reason"),
    sa.Index("report_reopening_unit_code_report_date_idx", "unit_code", "report_date"),
    schema="ops",
    comment="Which locked unit-days were reopened for corrections, and why.",
)

left_file = sa.Table(
    "left_file",
    metadata,
    sa.Column("source_code", sa.Text, primary_key=True, comment="sms_log, unit_report, or mailbox."),
    sa.Column(
        "part_code",
        sa.Text,
        primary_key=True,
        comment="Operator or unit whose folder it is in; empty when the folder is nobody's.",
    ),
    sa.Column("report_date", sa.Date, primary_key=True, comment="Day under which it would have landed."),
    sa.Column(
        "file_number", sa.Integer, primary_key=True, comment="Place among the files left there, from 0."
    ),
    sa.Column("origin", sa.Text, nullable=False, comment="Its name there, long numbers masked."),
    sa.Column("reason_code", sa.Text, nullable=False, comment="Short code of the reason: landing/left.py."),
    sa.Column("reason", sa.Text, nullable=False, comment="What was seen and what to do, in a sentence."),
    sa.Column("size_bytes", sa.BigInteger, nullable=False, comment="Size when last seen. Unit: bytes."),
    sa.Column(
        "modified_at", Moment, nullable=False, comment="Its time when last seen, by the channel's clock."
    ),
    sa.Column(
        "is_overdue",
        sa.Boolean,
        nullable=False,
        comment="Whether it has stayed unfinished past the limit: the source's owner must act.",
    ),
    sa.Column(
        "recorded_at", Moment, nullable=False, server_default=sa.text("now()"), comment="When it was written."
    ),
    sa.CheckConstraint("size_bytes >= 0", name="size_not_negative"),
    schema="ops",
    comment="The files that the last look left where they are, and why. One that is taken or removed has no row.",
)

batch_decision = sa.Table(
    "batch_decision",
    metadata,
    sa.Column(
        "batch_id", sa.ForeignKey("ops.load_batch.batch_id"), primary_key=True, comment="The batch held."
    ),
    sa.Column("decision_code", sa.Text, nullable=False, comment="released or rejected."),
    sa.Column("reason", sa.Text, nullable=False, comment="Why, in the words of who asked for it."),
    sa.Column("decided_by", sa.Text, nullable=False, comment="Airflow's name of who decided."),
    sa.Column(
        "recorded_at", Moment, nullable=False, server_default=sa.text("now()"), comment="When it was decided."
    ),
    sa.CheckConstraint("decision_code IN ('released', 'rejected')", name="decision_known"),
    sa.CheckConstraint("btrim(reason) <> ''", name="decided_with_a_reason"),
    schema="ops",
    comment="What people decided about batches that a critical check held back.",
)

changed_day = sa.Table(
    "changed_day",
    metadata,
    sa.Column("change_id", sa.BigInteger, sa.Identity(always=True), primary_key=True, comment="Number."),
    sa.Column("source_code", sa.Text, nullable=False, comment="Whose figures changed."),
    sa.Column("report_date", sa.Date, nullable=False, index=True, comment="The day they are about."),
    sa.Column("claimed_by", sa.Text, comment="The run that publishes the day; NULL until one does."),
    schema="ops",
    comment="Days whose figures changed since their progress was recomputed; written with the figures. Usually empty.",
)
