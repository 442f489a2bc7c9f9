"""Create the ledger: files, batches, checks, refused rows, what is awaited and published

Revision: 0002, after 0001
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "landed_file",
        sa.Column(
            "sha256", sa.Text(), nullable=False, comment="SHA-256 of the bytes as sent, in hexadecimal."
        ),
        sa.Column(
            "source_code", sa.Text(), nullable=False, comment="sms_log, service_portal or unit_report."
        ),
        sa.Column(
            "part_code", sa.Text(), nullable=False, comment="Operator, portal system or unit that sent it."
        ),
        sa.Column("report_date", sa.Date(), nullable=False, comment="Day under which it landed."),
        sa.Column(
            "origin", sa.Text(), nullable=False, comment="Name or address it came from, long numbers masked."
        ),
        sa.Column(
            "known_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="When it reached us, by the channel's clock.",
        ),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False, comment="Size. Unit: bytes."),
        sa.CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name=op.f("landed_file_sha256_is_hex_check")),
        sa.CheckConstraint("size_bytes >= 0", name=op.f("landed_file_size_not_negative_check")),
        sa.PrimaryKeyConstraint(
            "sha256", "source_code", "part_code", "report_date", name=op.f("landed_file_pk")
        ),
        schema="ops",
        comment="One row per file in the landing zone. The bytes themselves are there, never here.",
    )
    op.create_table(
        "load_batch",
        sa.Column(
            "batch_id",
            sa.BigInteger(),
            sa.Identity(always=True),
            nullable=False,
            comment="Number of the batch.",
        ),
        sa.Column(
            "source_code",
            sa.Text(),
            nullable=False,
            comment="sms_log, service_portal, unit_report or pipeline.",
        ),
        sa.Column(
            "part_code",
            sa.Text(),
            nullable=False,
            comment="Operator, portal system or unit; `all` for the whole source.",
        ),
        sa.Column("report_date", sa.Date(), nullable=False, comment="Day the batch is about."),
        sa.Column(
            "status_code",
            sa.Text(),
            nullable=False,
            comment="loaded, refused or duplicate (the same bytes were answered before).",
        ),
        sa.Column(
            "input_hash",
            sa.Text(),
            nullable=False,
            comment="Hash of the content of every file read, in order.",
        ),
        sa.Column(
            "known_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="When the newest input reached us, by the channel's clock.",
        ),
        sa.Column(
            "read_count",
            sa.Integer(),
            nullable=False,
            comment="Rows read. Unit: rows (lines, records, figures).",
        ),
        sa.Column(
            "loaded_count", sa.Integer(), nullable=False, comment="Of those, rows that went into figures."
        ),
        sa.Column(
            "refused_count", sa.Integer(), nullable=False, comment="Of those, rows refused with a reason."
        ),
        sa.Column(
            "duplicate_count", sa.Integer(), nullable=False, comment="Of those, rows sent more than once."
        ),
        sa.Column(
            "unchanged_count",
            sa.Integer(),
            nullable=False,
            comment="Of those, rows the warehouse already held.",
        ),
        sa.Column(
            "critical_failed_count",
            sa.Integer(),
            nullable=False,
            comment="Failed critical checks, or errors in a report.",
        ),
        sa.Column(
            "warning_failed_count", sa.Integer(), nullable=False, comment="Failed checks of severity warning."
        ),
        sa.Column(
            "reason",
            sa.Text(),
            server_default="",
            nullable=False,
            comment="Why the batch was refused; empty when loaded.",
        ),
        sa.Column(
            "code_version", sa.Text(), nullable=False, comment="Commit of the code that made the batch."
        ),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="When the batch was written.",
        ),
        sa.CheckConstraint(
            "(status_code = 'refused') = (reason <> '')", name=op.f("load_batch_refused_with_a_reason_check")
        ),
        sa.CheckConstraint(
            "status_code IN ('loaded', 'refused', 'duplicate')", name=op.f("load_batch_status_known_check")
        ),
        sa.CheckConstraint(
            "least(read_count, loaded_count, refused_count, duplicate_count, unchanged_count, critical_failed_count, warning_failed_count) >= 0",
            name=op.f("load_batch_counts_not_negative_check"),
        ),
        sa.CheckConstraint(
            "read_count = loaded_count + refused_count + duplicate_count + unchanged_count",
            name=op.f("load_batch_nothing_is_lost_check"),
        ),
        sa.PrimaryKeyConstraint("batch_id", name=op.f("load_batch_pk")),
        schema="ops",
        comment="The ledger: one row per batch that changed something or was refused. A repeated run writes nothing.",
    )
    op.create_index(
        "load_batch_lookup_idx",
        "load_batch",
        ["source_code", "part_code", "report_date"],
        unique=False,
        schema="ops",
    )
    op.create_table(
        "batch_file",
        sa.Column("batch_id", sa.BigInteger(), nullable=False, comment="The batch."),
        sa.Column("sha256", sa.Text(), nullable=False, comment="A file it read: ops.landed_file."),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["ops.load_batch.batch_id"], name=op.f("batch_file_batch_id_fk")
        ),
        sa.PrimaryKeyConstraint("batch_id", "sha256", name=op.f("batch_file_pk")),
        schema="ops",
        comment="Which landed files each batch read, so that every number can be traced to bytes.",
    )
    op.create_table(
        "expected_report",
        sa.Column("directive_code", sa.Text(), nullable=False, comment="Directive."),
        sa.Column("unit_code", sa.Text(), nullable=False, comment="Unit that may owe a report."),
        sa.Column("report_date", sa.Date(), nullable=False, comment="Day the report is about, local time."),
        sa.Column(
            "is_expected", sa.Boolean(), nullable=False, comment="Whether the unit owes a report on that day."
        ),
        sa.Column(
            "due_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When it is due; NULL when none is expected.",
        ),
        sa.CheckConstraint(
            "is_expected = (due_at IS NOT NULL)", name=op.f("expected_report_due_when_expected_check")
        ),
        sa.ForeignKeyConstraint(
            ["directive_code"],
            ["core.directive.directive_code"],
            name=op.f("expected_report_directive_code_fk"),
        ),
        sa.PrimaryKeyConstraint(
            "directive_code", "unit_code", "report_date", name=op.f("expected_report_pk")
        ),
        schema="ops",
        comment="Who owes a report on which day, from the directive's reporting rules and the working-day calendar.",
    )
    op.create_index(
        "expected_report_report_date_idx", "expected_report", ["report_date"], unique=False, schema="ops"
    )
    op.create_table(
        "publication",
        sa.Column("directive_code", sa.Text(), nullable=False, comment="Directive."),
        sa.Column("report_date", sa.Date(), nullable=False, comment="Day that was closed."),
        sa.Column(
            "closed_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="The close: 08:00 of the next day, local time.",
        ),
        sa.Column("row_count", sa.Integer(), nullable=False, comment="Progress rows frozen. Unit: rows."),
        sa.Column("content_hash", sa.Text(), nullable=False, comment="SHA-256 of the frozen rows."),
        sa.Column(
            "missing_units",
            postgresql.ARRAY(sa.Text()),
            nullable=False,
            comment="Codes of the units that had not reported.",
        ),
        sa.Column(
            "report_path",
            sa.Text(),
            nullable=False,
            comment="The official report, relative to the reports folder.",
        ),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="When it was written.",
        ),
        sa.ForeignKeyConstraint(
            ["directive_code"], ["core.directive.directive_code"], name=op.f("publication_directive_code_fk")
        ),
        sa.PrimaryKeyConstraint("directive_code", "report_date", name=op.f("publication_pk")),
        schema="ops",
        comment="One row per closed day: progress as it was known at the close.",
    )
    op.create_table(
        "quality_result",
        sa.Column("batch_id", sa.BigInteger(), nullable=False, comment="The batch checked."),
        sa.Column(
            "check_number",
            sa.SmallInteger(),
            nullable=False,
            comment="Place of the check in its suite, from 0.",
        ),
        sa.Column("suite_name", sa.Text(), nullable=False, comment="The declared suite."),
        sa.Column("check_code", sa.Text(), nullable=False, comment="The Great Expectations expectation."),
        sa.Column(
            "column_name",
            sa.Text(),
            nullable=False,
            comment="Column or columns it looked at; empty for the whole set.",
        ),
        sa.Column(
            "severity", sa.Text(), nullable=False, comment="critical keeps the batch out, warning is noted."
        ),
        sa.Column("is_success", sa.Boolean(), nullable=False, comment="Whether the expectation held."),
        sa.Column("failed_count", sa.Integer(), nullable=False, comment="Rows that failed it. Unit: rows."),
        sa.Column(
            "observed", sa.Text(), nullable=False, comment="The observed aggregate, if the check has one."
        ),
        sa.Column("notes", sa.Text(), nullable=False, comment="Why the check exists."),
        sa.CheckConstraint(
            "severity IN ('critical', 'warning', 'info')", name=op.f("quality_result_severity_known_check")
        ),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["ops.load_batch.batch_id"], name=op.f("quality_result_batch_id_fk")
        ),
        sa.PrimaryKeyConstraint("batch_id", "check_number", name=op.f("quality_result_pk")),
        schema="ops",
        comment="What each check of each batch found.",
    )
    op.create_table(
        "refused_row",
        sa.Column(
            "refused_row_id",
            sa.BigInteger(),
            sa.Identity(always=True),
            nullable=False,
            comment="Number of the row.",
        ),
        sa.Column("batch_id", sa.BigInteger(), nullable=False, comment="The batch that refused it."),
        sa.Column("sha256", sa.Text(), nullable=False, comment="The file it stood in: ops.landed_file."),
        sa.Column(
            "place",
            sa.Text(),
            nullable=False,
            comment="Where in the file: line, page and record, or sheet and cell.",
        ),
        sa.Column("reason_code", sa.Text(), nullable=False, comment="Short code of the reason."),
        sa.Column(
            "reason", sa.Text(), nullable=False, comment="What was wrong and what to do, in a sentence."
        ),
        sa.Column(
            "content",
            sa.Text(),
            nullable=False,
            comment="What stood there, long numbers masked, at most 500 characters.",
        ),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["ops.load_batch.batch_id"], name=op.f("refused_row_batch_id_fk")
        ),
        sa.PrimaryKeyConstraint("refused_row_id", name=op.f("refused_row_pk")),
        schema="ops",
        comment="Every row or file that was not loaded, with its place and reason.",
    )
    op.create_index(op.f("refused_row_batch_id_idx"), "refused_row", ["batch_id"], unique=False, schema="ops")


def downgrade() -> None:
    op.drop_index(op.f("refused_row_batch_id_idx"), table_name="refused_row", schema="ops")
    op.drop_table("refused_row", schema="ops")
    op.drop_table("quality_result", schema="ops")
    op.drop_table("publication", schema="ops")
    op.drop_index("expected_report_report_date_idx", table_name="expected_report", schema="ops")
    op.drop_table("expected_report", schema="ops")
    op.drop_table("batch_file", schema="ops")
    op.drop_index("load_batch_lookup_idx", table_name="load_batch", schema="ops")
    op.drop_table("load_batch", schema="ops")
    op.drop_table("landed_file", schema="ops")
