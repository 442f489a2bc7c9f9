"""Create what was observed, and what the portals and the units told

Revision: 0004, after 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "observation",
        sa.Column(
            "observation_id",
            sa.BigInteger(),
            sa.Identity(always=True),
            nullable=False,
            comment="Number of the row.",
        ),
        sa.Column("source_code", sa.Text(), nullable=False, comment="Source that gave the figure."),
        sa.Column("unit_code", sa.Text(), nullable=False, comment="Unit the figure is about."),
        sa.Column("measure_code", sa.Text(), nullable=False, comment="Measure."),
        sa.Column(
            "category_code", sa.Text(), nullable=False, comment="Category; empty when the measure has none."
        ),
        sa.Column("figure_date", sa.Date(), nullable=False, comment="Day the figure is about."),
        sa.Column(
            "value",
            sa.BigInteger(),
            nullable=True,
            comment="The figure; NULL when an earlier figure was withdrawn.",
        ),
        sa.Column(
            "obs_status",
            sa.Text(),
            nullable=False,
            comment="SDMX CL_OBS_STATUS: A normal, P provisional, M missing.",
        ),
        sa.Column(
            "known_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="When the figure could be known, by the channel's clock.",
        ),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="When the warehouse began to believe it.",
        ),
        sa.Column(
            "superseded_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When the warehouse stopped believing it; NULL for the current revision.",
        ),
        sa.Column(
            "batch_id",
            sa.BigInteger(),
            nullable=False,
            comment="Batch that wrote the row; it names the files and the code version.",
        ),
        sa.CheckConstraint(
            "(value IS NULL) = (obs_status = 'M')", name=op.f("observation_missing_has_no_value_check")
        ),
        sa.CheckConstraint("obs_status IN ('A', 'P', 'M')", name=op.f("observation_obs_status_known_check")),
        sa.CheckConstraint(
            "superseded_at >= recorded_at", name=op.f("observation_superseded_after_recorded_check")
        ),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["ops.load_batch.batch_id"], name=op.f("observation_batch_id_fk")
        ),
        sa.PrimaryKeyConstraint("observation_id", name=op.f("observation_pk")),
        schema="core",
        comment="One row per unit, measure, category, day and revision. A value is never changed or deleted.",
    )
    op.create_index(
        "observation_current_key",
        "observation",
        ["figure_date", "unit_code", "measure_code", "category_code"],
        unique=True,
        schema="core",
        postgresql_where=sa.text("superseded_at IS NULL"),
    )
    op.create_index(
        "observation_history_idx",
        "observation",
        ["figure_date", "unit_code", "measure_code", "category_code", "known_at"],
        unique=False,
        schema="core",
    )
    op.create_index(
        "observation_measure_idx",
        "observation",
        ["measure_code", "unit_code", "figure_date"],
        unique=False,
        schema="core",
    )
    op.create_table(
        "portal_dossier_version",
        sa.Column("system_code", sa.Text(), nullable=False, comment="Portal system."),
        sa.Column(
            "dossier_key", sa.BigInteger(), nullable=False, comment="Keyed hash of the dossier's code."
        ),
        sa.Column(
            "changed_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="When the portal says the dossier changed.",
        ),
        sa.Column(
            "known_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="When this version first reached us.",
        ),
        sa.Column("unit_code", sa.Text(), nullable=False, comment="Unit that handles it."),
        sa.Column("procedure_code", sa.Text(), nullable=False, comment="National procedure code."),
        sa.Column(
            "channel_code", sa.SmallInteger(), nullable=False, comment="1 in person, 2 online, 3 post."
        ),
        sa.Column("status_code", sa.SmallInteger(), nullable=False, comment="National status 1 to 10."),
        sa.Column("source_status", sa.Text(), nullable=False, comment="The system's own status code."),
        sa.Column(
            "received_date", sa.Date(), nullable=True, comment="Local day it was received; NULL before."
        ),
        sa.Column(
            "due_date",
            sa.Date(),
            nullable=True,
            comment="Local day the result is due; NULL when none is set.",
        ),
        sa.Column(
            "finished_date", sa.Date(), nullable=True, comment="Local day processing ended; NULL before."
        ),
        sa.Column(
            "returned_date",
            sa.Date(),
            nullable=True,
            comment="Local day the result was returned; NULL before.",
        ),
        sa.Column(
            "batch_id",
            sa.BigInteger(),
            nullable=False,
            comment="Batch that wrote the row; it names the files and the code version.",
        ),
        sa.CheckConstraint(
            "channel_code BETWEEN 1 AND 3", name=op.f("portal_dossier_version_channel_known_check")
        ),
        sa.CheckConstraint(
            "status_code BETWEEN 1 AND 10", name=op.f("portal_dossier_version_status_known_check")
        ),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["ops.load_batch.batch_id"], name=op.f("portal_dossier_version_batch_id_fk")
        ),
        sa.PrimaryKeyConstraint(
            "system_code", "dossier_key", "changed_at", "known_at", name=op.f("portal_dossier_version_pk")
        ),
        schema="core",
        comment="One row per version of a dossier as a portal showed it. Nothing about the applicant is kept.",
    )
    op.create_table(
        "portal_pull",
        sa.Column("system_code", sa.Text(), nullable=False, comment="Portal system."),
        sa.Column("report_date", sa.Date(), nullable=False, comment="Day the pull closes."),
        sa.Column(
            "known_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="When its last page was received, by the portal's clock.",
        ),
        sa.Column(
            "batch_id",
            sa.BigInteger(),
            nullable=False,
            comment="Batch that wrote the row; it names the files and the code version.",
        ),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["ops.load_batch.batch_id"], name=op.f("portal_pull_batch_id_fk")
        ),
        sa.PrimaryKeyConstraint("system_code", "report_date", name=op.f("portal_pull_pk")),
        schema="core",
        comment="One row per complete pull: the days whose dossiers are known to the end.",
    )
    op.create_table(
        "unit_figure",
        sa.Column("batch_id", sa.BigInteger(), nullable=False, comment="The accepted report."),
        sa.Column("measure_code", sa.Text(), nullable=False, comment="Measure."),
        sa.Column(
            "category_code", sa.Text(), nullable=False, comment="Category; empty when the measure has none."
        ),
        sa.Column("directive_code", sa.Text(), nullable=False, comment="Directive the report is about."),
        sa.Column("unit_code", sa.Text(), nullable=False, comment="Unit that reported."),
        sa.Column("report_date", sa.Date(), nullable=False, comment="Day the figures are about."),
        sa.Column(
            "value", sa.BigInteger(), nullable=True, comment="The figure; NULL when the cell was left blank."
        ),
        sa.CheckConstraint("value >= 0", name=op.f("unit_figure_value_not_negative_check")),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["ops.load_batch.batch_id"], name=op.f("unit_figure_batch_id_fk")
        ),
        sa.PrimaryKeyConstraint("batch_id", "measure_code", "category_code", name=op.f("unit_figure_pk")),
        schema="core",
        comment="Every figure of every accepted report, corrections included, as the unit gave it.",
    )
    op.create_index(
        "unit_figure_unit_day_idx", "unit_figure", ["unit_code", "report_date"], unique=False, schema="core"
    )


def downgrade() -> None:
    op.drop_index("unit_figure_unit_day_idx", table_name="unit_figure", schema="core")
    op.drop_table("unit_figure", schema="core")
    op.drop_table("portal_pull", schema="core")
    op.drop_table("portal_dossier_version", schema="core")
    op.drop_index("observation_measure_idx", table_name="observation", schema="core")
    op.drop_index("observation_history_idx", table_name="observation", schema="core")
    op.drop_index(
        "observation_current_key",
        table_name="observation",
        schema="core",
        postgresql_where=sa.text("superseded_at IS NULL"),
    )
    op.drop_table("observation", schema="core")
