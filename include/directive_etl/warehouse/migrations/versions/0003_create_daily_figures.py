"""Create the daily figures that reporting reads

Revision: 0003, after 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "daily_progress",
        sa.Column("directive_code", sa.Text(), nullable=False, comment="Directive."),
        sa.Column("indicator_code", sa.Text(), nullable=False, comment="Indicator."),
        sa.Column("unit_code", sa.Text(), nullable=False, comment="Unit the row is about."),
        sa.Column("report_date", sa.Date(), nullable=False, comment="Day."),
        sa.Column(
            "numerator",
            sa.Numeric(),
            nullable=True,
            comment="What was reached, in the measure's unit; NULL when not reported.",
        ),
        sa.Column(
            "denominator",
            sa.Numeric(),
            nullable=True,
            comment="Out of how many; NULL for indicators without one.",
        ),
        sa.Column(
            "actual_value",
            sa.Numeric(),
            nullable=True,
            comment="The indicator's value; NULL when not reported.",
        ),
        sa.Column(
            "target_value", sa.Numeric(), nullable=True, comment="The target in force; NULL when none is."
        ),
        sa.Column(
            "is_target_assumed",
            sa.Boolean(),
            nullable=True,
            comment="TRUE when no document gives the target.",
        ),
        sa.Column(
            "progress_pct",
            sa.Numeric(),
            nullable=True,
            comment="Value against target. Unit: per cent, not capped.",
        ),
        sa.Column(
            "status_code",
            sa.Text(),
            nullable=False,
            comment="achieved, on_track, behind, overdue, not_reported, not_due.",
        ),
        sa.Column(
            "obs_status",
            sa.Text(),
            nullable=False,
            comment="SDMX CL_OBS_STATUS: A normal, P provisional, M missing.",
        ),
        sa.Column("due_date", sa.Date(), nullable=True, comment="Day by which the target must be reached."),
        sa.Column(
            "days_overdue",
            sa.Integer(),
            nullable=False,
            comment="Working days past the due date, while overdue.",
        ),
        sa.Column(
            "is_late", sa.Boolean(), nullable=False, comment="TRUE when a figure came after it was due."
        ),
        sa.Column("revision_count", sa.Integer(), nullable=False, comment="Revisions of its figures."),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When its newest figure was recorded.",
        ),
        sa.CheckConstraint(
            "status_code <> 'not_reported' OR numerator IS NULL",
            name=op.f("daily_progress_silence_is_not_zero_check"),
        ),
        sa.CheckConstraint(
            "status_code IN ('achieved', 'on_track', 'behind', 'overdue', 'not_reported', 'not_due')",
            name=op.f("daily_progress_status_known_check"),
        ),
        sa.PrimaryKeyConstraint(
            "directive_code", "indicator_code", "unit_code", "report_date", name=op.f("daily_progress_pk")
        ),
        schema="core",
        comment="One row per indicator, unit and day, computed from observations by core.progress_at.",
    )
    op.create_index("daily_progress_day_idx", "daily_progress", ["report_date"], unique=False, schema="core")
    op.create_index(
        "daily_progress_unit_idx", "daily_progress", ["unit_code", "report_date"], unique=False, schema="core"
    )
    op.create_table(
        "daily_portal_dossier",
        sa.Column("report_date", sa.Date(), nullable=False, comment="Day, local time."),
        sa.Column("system_code", sa.Text(), nullable=False, comment="Portal system."),
        sa.Column("unit_code", sa.Text(), nullable=False, comment="Unit that handles the dossiers."),
        sa.Column("procedure_code", sa.Text(), nullable=False, comment="National procedure code."),
        sa.Column(
            "service_level", sa.SmallInteger(), nullable=False, comment="Level of the procedure on that day."
        ),
        sa.Column(
            "received_count",
            sa.Integer(),
            nullable=False,
            comment="Dossiers received on the day. Unit: dossiers.",
        ),
        sa.Column("received_online_count", sa.Integer(), nullable=False, comment="Of those, online."),
        sa.Column("received_in_person_count", sa.Integer(), nullable=False, comment="Of those, in person."),
        sa.Column("received_post_count", sa.Integer(), nullable=False, comment="Of those, by public post."),
        sa.Column(
            "carried_over_count",
            sa.Integer(),
            nullable=False,
            comment="Dossiers received earlier and still open when the day began.",
        ),
        sa.Column("processed_count", sa.Integer(), nullable=False, comment="Dossiers closed on the day."),
        sa.Column(
            "processed_early_count", sa.Integer(), nullable=False, comment="Of those, before the due date."
        ),
        sa.Column(
            "processed_on_time_count",
            sa.Integer(),
            nullable=False,
            comment="Of those, on the due date or without one.",
        ),
        sa.Column(
            "processed_late_count", sa.Integer(), nullable=False, comment="Of those, after the due date."
        ),
        sa.Column(
            "in_process_count",
            sa.Integer(),
            nullable=False,
            comment="Dossiers in process at the end of the day.",
        ),
        sa.Column(
            "in_process_overdue_count", sa.Integer(), nullable=False, comment="Of those, past their due date."
        ),
        sa.Column(
            "paused_count",
            sa.Integer(),
            nullable=False,
            comment="Dossiers waiting for papers or a payment at the end of the day.",
        ),
        sa.Column("returned_count", sa.Integer(), nullable=False, comment="Results returned on the day."),
        sa.Column(
            "batch_id",
            sa.BigInteger(),
            nullable=False,
            comment="Batch that wrote the row; it names the files and the code version.",
        ),
        sa.CheckConstraint(
            "carried_over_count + received_count = processed_count + in_process_count + paused_count",
            name=op.f("daily_portal_dossier_every_dossier_is_somewhere_check"),
        ),
        sa.CheckConstraint(
            "in_process_overdue_count <= in_process_count",
            name=op.f("daily_portal_dossier_overdue_within_in_process_check"),
        ),
        sa.CheckConstraint(
            "processed_count = processed_early_count + processed_on_time_count + processed_late_count",
            name=op.f("daily_portal_dossier_processed_by_timeliness_check"),
        ),
        sa.CheckConstraint(
            "received_count = received_online_count + received_in_person_count + received_post_count",
            name=op.f("daily_portal_dossier_received_by_channel_check"),
        ),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["ops.load_batch.batch_id"], name=op.f("daily_portal_dossier_batch_id_fk")
        ),
        sa.PrimaryKeyConstraint(
            "report_date", "system_code", "unit_code", "procedure_code", name=op.f("daily_portal_dossier_pk")
        ),
        schema="core",
        comment="One row per day, system, unit and procedure with dossiers. Source: the portals, recounted as they change.",
    )
    op.create_table(
        "daily_sms",
        sa.Column("report_date", sa.Date(), nullable=False, comment="Local day the messages were submitted."),
        sa.Column("operator_code", sa.Text(), nullable=False, comment="Operator that reports them."),
        sa.Column("campaign_code", sa.Text(), nullable=False, comment="Campaign; `-` for messages of none."),
        sa.Column(
            "counted_through",
            sa.Date(),
            nullable=False,
            comment="Last drop day whose receipts are counted in.",
        ),
        sa.Column(
            "message_count", sa.Integer(), nullable=False, comment="Messages submitted. Unit: messages."
        ),
        sa.Column(
            "segment_count",
            sa.Integer(),
            nullable=False,
            comment="Segments they were sent in. Unit: segments.",
        ),
        sa.Column(
            "delivered_count",
            sa.Integer(),
            nullable=False,
            comment="Messages whose last final receipt says delivered.",
        ),
        sa.Column(
            "failed_count",
            sa.Integer(),
            nullable=False,
            comment="Messages whose last final receipt says failed.",
        ),
        sa.Column(
            "expired_count",
            sa.Integer(),
            nullable=False,
            comment="Messages whose last final receipt says expired.",
        ),
        sa.Column(
            "rejected_count",
            sa.Integer(),
            nullable=False,
            comment="Messages whose last final receipt says rejected.",
        ),
        sa.Column(
            "pending_count",
            sa.Integer(),
            nullable=False,
            comment="Messages without a final receipt while the day is open.",
        ),
        sa.Column(
            "unknown_count",
            sa.Integer(),
            nullable=False,
            comment="Messages without a final receipt after the day became final.",
        ),
        sa.Column(
            "recipient_count", sa.Integer(), nullable=False, comment="Distinct recipients. Unit: subscribers."
        ),
        sa.Column(
            "delivered_recipient_count",
            sa.Integer(),
            nullable=False,
            comment="Distinct recipients of delivered messages. Unit: subscribers.",
        ),
        sa.Column(
            "latency_p50_seconds",
            sa.Numeric(),
            nullable=True,
            comment="Median time from submission to delivery. Unit: seconds.",
        ),
        sa.Column(
            "latency_p95_seconds",
            sa.Numeric(),
            nullable=True,
            comment="95th percentile of the same. Unit: seconds.",
        ),
        sa.Column(
            "maturity", sa.Text(), nullable=False, comment="open while receipts are awaited, then final."
        ),
        sa.Column(
            "batch_id",
            sa.BigInteger(),
            nullable=False,
            comment="Batch that wrote the row; it names the files and the code version.",
        ),
        sa.CheckConstraint(
            "maturity = 'open' OR pending_count = 0", name=op.f("daily_sms_final_is_not_pending_check")
        ),
        sa.CheckConstraint("maturity IN ('open', 'final')", name=op.f("daily_sms_maturity_known_check")),
        sa.CheckConstraint(
            "delivered_recipient_count <= recipient_count", name=op.f("daily_sms_recipients_within_check")
        ),
        sa.CheckConstraint(
            "message_count = delivered_count + failed_count + expired_count + rejected_count + pending_count + unknown_count",
            name=op.f("daily_sms_every_message_has_one_state_check"),
        ),
        sa.CheckConstraint(
            "segment_count >= message_count", name=op.f("daily_sms_segments_cover_messages_check")
        ),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["ops.load_batch.batch_id"], name=op.f("daily_sms_batch_id_fk")
        ),
        sa.ForeignKeyConstraint(
            ["operator_code"], ["core.operator.operator_code"], name=op.f("daily_sms_operator_code_fk")
        ),
        sa.PrimaryKeyConstraint("report_date", "operator_code", "campaign_code", name=op.f("daily_sms_pk")),
        schema="core",
        comment="One row per day, operator and campaign. Source: SMS logs, recounted while receipts come.",
    )
    op.create_table(
        "sms_reach",
        sa.Column("campaign_code", sa.Text(), nullable=False, comment="Campaign."),
        sa.Column("report_date", sa.Date(), nullable=False, comment="Day up to which reach is counted."),
        sa.Column(
            "counted_through",
            sa.Date(),
            nullable=False,
            comment="Last drop day whose receipts are counted in.",
        ),
        sa.Column(
            "reached_subscriber_count",
            sa.Integer(),
            nullable=False,
            comment="Distinct subscribers with a delivered message to date, across operators.",
        ),
        sa.Column(
            "batch_id",
            sa.BigInteger(),
            nullable=False,
            comment="Batch that wrote the row; it names the files and the code version.",
        ),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["ops.load_batch.batch_id"], name=op.f("sms_reach_batch_id_fk")
        ),
        sa.ForeignKeyConstraint(
            ["campaign_code"], ["core.campaign.campaign_code"], name=op.f("sms_reach_campaign_code_fk")
        ),
        sa.PrimaryKeyConstraint("campaign_code", "report_date", name=op.f("sms_reach_pk")),
        schema="core",
        comment="One row per campaign and day: exact distinct reach, from keyed hashes that never enter the warehouse.",
    )


def downgrade() -> None:
    op.drop_table("sms_reach", schema="core")
    op.drop_table("daily_sms", schema="core")
    op.drop_table("daily_portal_dossier", schema="core")
    op.drop_index("daily_progress_unit_idx", table_name="daily_progress", schema="core")
    op.drop_index("daily_progress_day_idx", table_name="daily_progress", schema="core")
    op.drop_table("daily_progress", schema="core")
