"""Schema `core`, the measured part: the daily facts, the observations, and the progress computed from them."""

import sqlalchemy as sa

from directive_etl.warehouse.tables.metadata import Moment, metadata

_BATCH_COMMENT = "Batch that wrote the row; it names the files and the code version."


def _batch() -> sa.Column[int]:
    return sa.Column(
        "batch_id",
        sa.ForeignKey("ops.load_batch.batch_id"),
        nullable=False,
        comment=_BATCH_COMMENT,
    )


def _count(name: str, comment: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=False, comment=comment)


daily_sms = sa.Table(
    "daily_sms",
    metadata,
    sa.Column("report_date", sa.Date, primary_key=True, comment="Local day the messages were submitted."),
    sa.Column(
        "operator_code",
        sa.ForeignKey("core.operator.operator_code"),
        primary_key=True,
        comment="Operator that reports them.",
    ),
    sa.Column("campaign_code", sa.Text, primary_key=True, comment="Campaign; `-` for messages of none."),
    sa.Column(
        "counted_through", sa.Date, nullable=False, comment="Last drop day whose receipts are counted in."
    ),
    _count("message_count", "Messages submitted. Unit: messages."),
    _count("segment_count", "Segments they were sent in. Unit: segments."),
    _count("delivered_count", "Messages whose last final receipt says delivered."),
    _count("failed_count", "Messages whose last final receipt says failed."),
    _count("expired_count", "Messages whose last final receipt says expired."),
    _count("rejected_count", "Messages whose last final receipt says rejected."),
    _count("pending_count", "Messages without a final receipt while the day is open."),
    _count("unknown_count", "Messages without a final receipt after the day became final."),
    _count("recipient_count", "Distinct recipients. Unit: subscribers."),
    _count("delivered_recipient_count", "Distinct recipients of delivered messages. Unit: subscribers."),
    sa.Column(
        "latency_p50_seconds", sa.Numeric, comment="Median time from submission to delivery. Unit: seconds."
    ),
    sa.Column("latency_p95_seconds", sa.Numeric, comment="95th percentile of the same. Unit: seconds."),
    sa.Column("maturity", sa.Text, nullable=False, comment="open while receipts are awaited, then final."),
    _batch(),
    sa.CheckConstraint("maturity IN ('open', 'final')", name="maturity_known"),
    sa.CheckConstraint(
        "message_count = delivered_count + failed_count + expired_count + rejected_count + pending_count + unknown_count",
        name="every_message_has_one_state",
    ),
    sa.CheckConstraint("maturity = 'open' OR pending_count = 0", name="final_is_not_pending"),
    sa.CheckConstraint("delivered_recipient_count <= recipient_count", name="recipients_within"),
    sa.CheckConstraint("segment_count >= message_count", name="segments_cover_messages"),
    schema="core",
    comment="One row per day, operator and campaign. Source: SMS logs, recounted while receipts come.",
)

sms_reach = sa.Table(
    "sms_reach",
    metadata,
    sa.Column(
        "campaign_code", sa.ForeignKey("core.campaign.campaign_code"), primary_key=True, comment="Campaign."
    ),
    sa.Column("report_date", sa.Date, primary_key=True, comment="Day up to which reach is counted."),
    sa.Column(
        "counted_through", sa.Date, nullable=False, comment="Last drop day whose receipts are counted in."
    ),
    _count(
        "reached_subscriber_count", "Distinct subscribers with a delivered message to date, across operators."
    ),
    _batch(),
    schema="core",
    comment="One row per campaign and day: exact distinct reach, from keyed hashes that never enter the warehouse.",
)

portal_dossier_version = sa.Table(
    "portal_dossier_version",
    metadata,
    sa.Column("system_code", sa.Text, primary_key=True, comment="Portal system."),
    sa.Column("dossier_key", sa.BigInteger, primary_key=True, comment="Keyed hash of the dossier's code."),
    sa.Column("changed_at", Moment, primary_key=True, comment="When the portal says the dossier changed."),
    sa.Column("known_at", Moment, primary_key=True, comment="When this version first reached us."),
    sa.Column("unit_code", sa.Text, nullable=False, comment="Unit that handles it."),
    sa.Column("procedure_code", sa.Text, nullable=False, comment="National procedure code."),
    sa.Column("channel_code", sa.SmallInteger, nullable=False, comment="1 in person, 2 online, 3 post."),
    sa.Column("status_code", sa.SmallInteger, nullable=False, comment="National status 1 to 10."),
    sa.Column("source_status", sa.Text, nullable=False, comment="The system's own status code."),
    sa.Column("received_date", sa.Date, comment="Local day it was received; NULL before."),
    sa.Column("due_date", sa.Date, comment="Local day the result is due; NULL when none is set."),
    sa.Column("finished_date", sa.Date, comment="Local day processing ended; NULL before."),
    sa.Column("returned_date", sa.Date, comment="Local day the result was returned; NULL before."),
    sa.Column(
        "is_withdrawn",
        sa.Boolean,
        nullable=False,
        server_default=sa.false(),
        comment="TRUE when a proven list should have held the dossier and did not.",
    ),
    # Without a foreign key: looking up the batch of each row took two thirds of a large load (docs/decisions/0006).
    sa.Column("batch_id", sa.BigInteger, nullable=False, comment=_BATCH_COMMENT),
    sa.CheckConstraint("channel_code BETWEEN 1 AND 3", name="channel_known"),
    sa.CheckConstraint("status_code BETWEEN 1 AND 10", name="status_known"),
    schema="core",
    comment="One row per version of a dossier as a portal showed it. Nothing about the applicant is kept.",
)

portal_pull = sa.Table(
    "portal_pull",
    metadata,
    sa.Column("system_code", sa.Text, primary_key=True, comment="Portal system."),
    sa.Column("report_date", sa.Date, primary_key=True, comment="Day the pull closes."),
    sa.Column(
        "known_at", Moment, nullable=False, comment="When its last page was received, by the portal's clock."
    ),
    sa.Column("window_from", Moment, nullable=False, comment="First time of change that was asked for."),
    sa.Column("window_to", Moment, nullable=False, comment="First time of change after those asked for."),
    sa.Column(
        "is_proven",
        sa.Boolean,
        nullable=False,
        comment="Whether the list proved itself whole; else its day is provisional.",
    ),
    sa.Column("doubt", sa.Text, nullable=False, comment="Why it is not proved whole; empty when it is."),
    sa.Column(
        "seen_keys",
        sa.LargeBinary,
        nullable=False,
        comment="Keys of the dossiers in the list, sorted, 8 bytes each.",
    ),
    _batch(),
    sa.CheckConstraint("is_proven = (doubt = '')", name="proven_without_doubt"),
    schema="core",
    comment="One row per pull: the days whose dossiers are known to the end, or provisional.",
)

daily_portal_dossier = sa.Table(
    "daily_portal_dossier",
    metadata,
    sa.Column("report_date", sa.Date, primary_key=True, comment="Day, local time."),
    sa.Column("system_code", sa.Text, primary_key=True, comment="Portal system."),
    sa.Column("unit_code", sa.Text, primary_key=True, comment="Unit that handles the dossiers."),
    sa.Column("procedure_code", sa.Text, primary_key=True, comment="National procedure code."),
    sa.Column(
        "service_level", sa.SmallInteger, nullable=False, comment="Level of the procedure on that day."
    ),
    _count("received_count", "Dossiers received on the day. Unit: dossiers."),
    _count("received_online_count", "Of those, online."),
    _count("received_in_person_count", "Of those, in person."),
    _count("received_post_count", "Of those, by public post."),
    _count("carried_over_count", "Dossiers received earlier and still open when the day began."),
    _count("processed_count", "Dossiers closed on the day."),
    _count("processed_early_count", "Of those, before the due date."),
    _count("processed_on_time_count", "Of those, on the due date or without one."),
    _count("processed_late_count", "Of those, after the due date."),
    _count("in_process_count", "Dossiers in process at the end of the day."),
    _count("in_process_overdue_count", "Of those, past their due date."),
    _count("paused_count", "Dossiers waiting for papers or a payment at the end of the day."),
    _count("returned_count", "Results returned on the day."),
    _batch(),
    sa.CheckConstraint(
        "received_count = received_online_count + received_in_person_count + received_post_count",
        name="received_by_channel",
    ),
    sa.CheckConstraint(
        "processed_count = processed_early_count + processed_on_time_count + processed_late_count",
        name="processed_by_timeliness",
    ),
    sa.CheckConstraint(
        "carried_over_count + received_count = processed_count + in_process_count + paused_count",
        name="every_dossier_is_somewhere",
    ),
    sa.CheckConstraint("in_process_overdue_count <= in_process_count", name="overdue_within_in_process"),
    schema="core",
    comment="One row per day, system, unit and procedure with dossiers. Source: the portals, recounted as they change.",
)

unit_figure = sa.Table(
    "unit_figure",
    metadata,
    sa.Column(
        "batch_id", sa.ForeignKey("ops.load_batch.batch_id"), primary_key=True, comment="The accepted report."
    ),
    sa.Column("measure_code", sa.Text, primary_key=True, comment="Measure."),
    sa.Column(
        "category_code", sa.Text, primary_key=True, comment="Category; empty when the measure has none."
    ),
    sa.Column("directive_code", sa.Text, nullable=False, comment="Directive the report is about."),
    sa.Column("unit_code", sa.Text, nullable=False, comment="Unit that reported."),
    sa.Column("report_date", sa.Date, nullable=False, comment="Day the figures are about."),
    sa.Column("value", sa.BigInteger, comment="The figure; NULL when the cell was left blank."),
    sa.CheckConstraint("value >= 0", name="value_not_negative"),
    sa.Index("unit_figure_unit_day_idx", "unit_code", "report_date"),
    schema="core",
    comment="Every figure of every accepted report, corrections included, as the unit gave it.",
)

observation = sa.Table(
    "observation",
    metadata,
    sa.Column(
        "observation_id",
        sa.BigInteger,
        sa.Identity(always=True),
        primary_key=True,
        comment="Number of the row.",
    ),
    sa.Column("source_code", sa.Text, nullable=False, comment="Source that gave the figure."),
    sa.Column("unit_code", sa.Text, nullable=False, comment="Unit the figure is about."),
    sa.Column("measure_code", sa.Text, nullable=False, comment="Measure."),
    sa.Column("category_code", sa.Text, nullable=False, comment="Category; empty when the measure has none."),
    sa.Column("figure_date", sa.Date, nullable=False, comment="Day the figure is about."),
    sa.Column("value", sa.BigInteger, comment="The figure; NULL when an earlier figure was withdrawn."),
    sa.Column(
        "obs_status",
        sa.Text,
        nullable=False,
        comment="SDMX CL_OBS_STATUS: A normal, P provisional, M missing.",
    ),
    sa.Column(
        "known_at", Moment, nullable=False, comment="When the figure could be known, by the channel's clock."
    ),
    sa.Column(
        "recorded_at",
        Moment,
        nullable=False,
        server_default=sa.text("now()"),
        comment="When the warehouse began to believe it.",
    ),
    sa.Column(
        "superseded_at",
        Moment,
        comment="When the warehouse stopped believing it; NULL for the current revision.",
    ),
    _batch(),
    sa.CheckConstraint("obs_status IN ('A', 'P', 'M')", name="obs_status_known"),
    sa.CheckConstraint("(value IS NULL) = (obs_status = 'M')", name="missing_has_no_value"),
    sa.CheckConstraint("superseded_at >= recorded_at", name="superseded_after_recorded"),
    sa.Index(
        "observation_current_key",
        "figure_date",
        "unit_code",
        "measure_code",
        "category_code",
        unique=True,
        postgresql_where=sa.text("superseded_at IS NULL"),
    ),
    sa.Index(
        "observation_history_idx", "figure_date", "unit_code", "measure_code", "category_code", "known_at"
    ),
    sa.Index("observation_measure_idx", "measure_code", "unit_code", "figure_date"),
    schema="core",
    comment="One row per unit, measure, category, day and revision. A value is never changed or deleted.",
)

daily_progress = sa.Table(
    "daily_progress",
    metadata,
    sa.Column("directive_code", sa.Text, primary_key=True, comment="Directive."),
    sa.Column("indicator_code", sa.Text, primary_key=True, comment="Indicator."),
    sa.Column("unit_code", sa.Text, primary_key=True, comment="Unit the row is about."),
    sa.Column("report_date", sa.Date, primary_key=True, comment="Day."),
    sa.Column(
        "numerator", sa.Numeric, comment="What was reached, in the measure's unit; NULL when not reported."
    ),
    sa.Column("denominator", sa.Numeric, comment="Out of how many; NULL for indicators without one."),
    sa.Column("actual_value", sa.Numeric, comment="The indicator's value; NULL when not reported."),
    sa.Column("target_value", sa.Numeric, comment="The target in force; NULL when none is."),
    sa.Column("is_target_assumed", sa.Boolean, comment="TRUE when no document gives the target."),
    sa.Column("progress_pct", sa.Numeric, comment="Value against target. Unit: per cent, not capped."),
    sa.Column(
        "status_code",
        sa.Text,
        nullable=False,
        comment="achieved, on_track, behind, overdue, not_reported, not_due.",
    ),
    sa.Column(
        "obs_status",
        sa.Text,
        nullable=False,
        comment="SDMX CL_OBS_STATUS: A normal, P provisional, M missing.",
    ),
    sa.Column("due_date", sa.Date, comment="Day by which the target must be reached."),
    sa.Column(
        "days_overdue", sa.Integer, nullable=False, comment="Working days past the due date, while overdue."
    ),
    sa.Column("is_late", sa.Boolean, nullable=False, comment="TRUE when a figure came after it was due."),
    sa.Column("revision_count", sa.Integer, nullable=False, comment="Revisions of its figures."),
    sa.Column("recorded_at", Moment, comment="When its newest figure was recorded."),
    sa.CheckConstraint(
        "status_code IN ('achieved', 'on_track', 'behind', 'overdue', 'not_reported', 'not_due')",
        name="status_known",
    ),
    sa.CheckConstraint("status_code <> 'not_reported' OR numerator IS NULL", name="silence_is_not_zero"),
    sa.Index("daily_progress_unit_idx", "unit_code", "report_date"),
    sa.Index("daily_progress_day_idx", "report_date"),
    schema="core",
    comment="One row per indicator, unit and day, computed from observations by core.progress_at.",
)
