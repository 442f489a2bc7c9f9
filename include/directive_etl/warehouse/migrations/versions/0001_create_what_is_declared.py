"""Create what the registry declares: calendar, units, directives, what they are measured by

Revision: 0001, after None
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "calendar_day",
        sa.Column("calendar_date", sa.Date(), nullable=False, comment="Day."),
        sa.Column("is_working_day", sa.Boolean(), nullable=False, comment="Whether state bodies work on it."),
        sa.Column(
            "kind", sa.Text(), nullable=False, comment="Kind of day: working, weekend, holiday, swapped ..."
        ),
        sa.Column("name_vi", sa.Text(), nullable=True, comment="Name of the holiday."),
        sa.PrimaryKeyConstraint("calendar_date", name=op.f("calendar_day_pk")),
        schema="core",
        comment="Working-day calendar. Source: registry/calendar.",
    )
    op.create_table(
        "campaign",
        sa.Column("campaign_code", sa.Text(), nullable=False, comment="Code of the campaign."),
        sa.Column("name_vi", sa.Text(), nullable=False, comment="Name in Vietnamese."),
        sa.Column(
            "subscriber_count",
            sa.Integer(),
            nullable=False,
            comment="Subscribers to reach. Unit: subscribers.",
        ),
        sa.Column(
            "is_assumed", sa.Boolean(), nullable=False, comment="TRUE when no document gives the number."
        ),
        sa.Column(
            "wave_min_messages",
            sa.Integer(),
            nullable=False,
            comment="Messages a day from which it is a wave.",
        ),
        sa.PrimaryKeyConstraint("campaign_code", name=op.f("campaign_pk")),
        schema="core",
        comment="SMS campaigns. Source: registry/campaigns.",
    )
    op.create_table(
        "directive",
        sa.Column("directive_code", sa.Text(), nullable=False, comment="Short code of the directive."),
        sa.Column("directive_number", sa.Text(), nullable=False, comment="Number as issued."),
        sa.Column("title_vi", sa.Text(), nullable=False, comment="Subject in Vietnamese."),
        sa.Column("title_en", sa.Text(), nullable=False, comment="Subject in English."),
        sa.Column("issued_on", sa.Date(), nullable=False, comment="Day of issue."),
        sa.Column("active_from", sa.Date(), nullable=False, comment="First day that is measured."),
        sa.Column(
            "active_to", sa.Date(), nullable=True, comment="Last day that is measured; NULL while open."
        ),
        sa.PrimaryKeyConstraint("directive_code", name=op.f("directive_pk")),
        sa.UniqueConstraint("directive_number", name=op.f("directive_directive_number_key")),
        schema="core",
        comment="One row per directive. Source: registry/directives.",
    )
    op.create_table(
        "operator",
        sa.Column("operator_code", sa.Text(), nullable=False, comment="Code of the operator."),
        sa.Column("name", sa.Text(), nullable=False, comment="Name."),
        sa.Column(
            "window_days",
            sa.SmallInteger(),
            nullable=False,
            comment="Days that receipts are awaited. Unit: days.",
        ),
        sa.PrimaryKeyConstraint("operator_code", name=op.f("operator_pk")),
        schema="core",
        comment="Telecom operators that send SMS logs. Source: registry/operators.",
    )
    op.create_table(
        "portal_system",
        sa.Column("system_code", sa.Text(), nullable=False, comment="Code of the system."),
        sa.Column("name_vi", sa.Text(), nullable=False, comment="Name in Vietnamese."),
        sa.Column("name_en", sa.Text(), nullable=False, comment="Name in English."),
        sa.PrimaryKeyConstraint("system_code", name=op.f("portal_system_pk")),
        schema="core",
        comment="Online-service systems that dossiers are pulled from. Source: registry/systems.",
    )
    op.create_table(
        "procedure",
        sa.Column("procedure_code", sa.Text(), nullable=False, comment="National code of the procedure."),
        sa.Column("valid_from", sa.Date(), nullable=False, comment="First day the service level holds."),
        sa.Column("valid_to", sa.Date(), nullable=True, comment="Last day; NULL while it holds."),
        sa.Column("name_vi", sa.Text(), nullable=False, comment="Name in Vietnamese."),
        sa.Column(
            "service_level", sa.SmallInteger(), nullable=False, comment="Level of the online service, 1 to 4."
        ),
        sa.CheckConstraint("service_level BETWEEN 1 AND 4", name=op.f("procedure_service_level_known_check")),
        sa.PrimaryKeyConstraint("procedure_code", "valid_from", name=op.f("procedure_pk")),
        schema="core",
        comment="Administrative procedures with their online service level. Source: registry/procedures.",
    )
    op.create_table(
        "unit",
        sa.Column(
            "unit_code",
            sa.Text(),
            nullable=False,
            comment="Code of the unit; codes of wards are reused over time.",
        ),
        sa.Column(
            "valid_from",
            sa.Date(),
            nullable=False,
            comment="First day in force; 1900-01-01 when not researched.",
        ),
        sa.Column("valid_to", sa.Date(), nullable=True, comment="Last day in force; NULL while in force."),
        sa.Column("name_vi", sa.Text(), nullable=False, comment="Name in Vietnamese."),
        sa.Column("name_en", sa.Text(), nullable=True, comment="Name in English, where one is known."),
        sa.Column(
            "unit_type",
            sa.Text(),
            nullable=False,
            comment="Type, e.g. so_ban_nganh, ubnd_quan_huyen, xa_phuong.",
        ),
        sa.Column(
            "parent_unit_code",
            sa.Text(),
            nullable=True,
            comment="The unit it is added up to; NULL for the city.",
        ),
        sa.Column("gso_code", sa.Text(), nullable=True, comment="Code of the General Statistics Office."),
        sa.Column(
            "population_2019", sa.Integer(), nullable=True, comment="Census of 1 April 2019. Unit: persons."
        ),
        sa.Column("status", sa.Text(), nullable=False, comment="How sure the row is."),
        sa.Column("source", sa.Text(), nullable=False, comment="Where the row comes from."),
        sa.CheckConstraint(
            "valid_to IS NULL OR valid_to >= valid_from", name=op.f("unit_valid_period_check")
        ),
        sa.PrimaryKeyConstraint("unit_code", "valid_from", name=op.f("unit_pk")),
        schema="core",
        comment="One row per unit and period of validity. Key: code and valid_from. Source: registry/units.",
    )
    op.create_table(
        "unit_succession",
        sa.Column("old_code", sa.Text(), nullable=False, comment="Code before the change."),
        sa.Column("new_code", sa.Text(), nullable=False, comment="Code after the change."),
        sa.Column("effective_from", sa.Date(), nullable=False, comment="First day of the new unit."),
        sa.Column("old_name", sa.Text(), nullable=False, comment="Name before the change."),
        sa.Column("new_name", sa.Text(), nullable=False, comment="Name after the change."),
        sa.Column("kind", sa.Text(), nullable=False, comment="whole, part or whole-or-unchanged."),
        sa.Column("status", sa.Text(), nullable=False, comment="How sure the row is."),
        sa.Column("source", sa.Text(), nullable=False, comment="Where the row comes from."),
        sa.PrimaryKeyConstraint("old_code", "new_code", "effective_from", name=op.f("unit_succession_pk")),
        schema="core",
        comment="Which unit became which. A part needs weights before figures may be carried over.",
    )
    op.create_table(
        "clause",
        sa.Column("directive_code", sa.Text(), nullable=False, comment="Directive."),
        sa.Column("clause_code", sa.Text(), nullable=False, comment="Clause as numbered in the directive."),
        sa.Column("position", sa.SmallInteger(), nullable=False, comment="Order in the directive, from 1."),
        sa.Column("text_vi", sa.Text(), nullable=False, comment="Text in Vietnamese."),
        sa.Column("text_en", sa.Text(), nullable=False, comment="Meaning in English."),
        sa.Column("obligation", sa.Text(), nullable=False, comment="assigned or requested."),
        sa.ForeignKeyConstraint(
            ["directive_code"], ["core.directive.directive_code"], name=op.f("clause_directive_code_fk")
        ),
        sa.PrimaryKeyConstraint("directive_code", "clause_code", name=op.f("clause_pk")),
        schema="core",
        comment="One row per clause of a directive.",
    )
    op.create_table(
        "measure",
        sa.Column("directive_code", sa.Text(), nullable=False, comment="Directive."),
        sa.Column("measure_code", sa.Text(), nullable=False, comment="Code of the measure."),
        sa.Column("name_vi", sa.Text(), nullable=False, comment="Name in Vietnamese."),
        sa.Column("name_en", sa.Text(), nullable=False, comment="Name in English."),
        sa.Column("source_code", sa.Text(), nullable=False, comment="Source that gives it."),
        sa.Column("kind", sa.Text(), nullable=False, comment="stock or flow."),
        sa.ForeignKeyConstraint(
            ["directive_code"], ["core.directive.directive_code"], name=op.f("measure_directive_code_fk")
        ),
        sa.PrimaryKeyConstraint("directive_code", "measure_code", name=op.f("measure_pk")),
        schema="core",
        comment="One row per number that a source gives.",
    )
    op.create_table(
        "indicator",
        sa.Column("directive_code", sa.Text(), nullable=False, comment="Directive."),
        sa.Column("indicator_code", sa.Text(), nullable=False, comment="Code of the indicator."),
        sa.Column("clause_code", sa.Text(), nullable=False, comment="Clause it measures."),
        sa.Column("position", sa.SmallInteger(), nullable=False, comment="Order in the directive, from 1."),
        sa.Column("name_vi", sa.Text(), nullable=False, comment="Name in Vietnamese."),
        sa.Column("name_en", sa.Text(), nullable=False, comment="Name in English."),
        sa.Column(
            "calculation", sa.Text(), nullable=False, comment="ratio_pct, count, per_unit_day or days_since."
        ),
        sa.Column(
            "kind", sa.Text(), nullable=False, comment="stock (last value of a period) or flow (adds up)."
        ),
        sa.Column(
            "direction", sa.Text(), nullable=False, comment="up: more is better; down: less is better."
        ),
        sa.Column("source_code", sa.Text(), nullable=False, comment="Source of its measures."),
        sa.Column(
            "numerator_measure", sa.Text(), nullable=False, comment="Measure added up in the numerator."
        ),
        sa.Column(
            "numerator_categories",
            postgresql.ARRAY(sa.Text()),
            nullable=True,
            comment="Its categories; NULL means all.",
        ),
        sa.Column(
            "denominator_measure",
            sa.Text(),
            nullable=True,
            comment="Measure added up in the denominator, where there is one.",
        ),
        sa.Column(
            "denominator_categories",
            postgresql.ARRAY(sa.Text()),
            nullable=True,
            comment="Its categories; NULL means all.",
        ),
        sa.Column(
            "responsible_unit_types",
            postgresql.ARRAY(sa.Text()),
            nullable=False,
            comment="Types of unit that answer for it.",
        ),
        sa.Column(
            "responsible_units",
            postgresql.ARRAY(sa.Text()),
            nullable=False,
            comment="Further units that answer for it, by code.",
        ),
        sa.Column(
            "measured_unit_types",
            postgresql.ARRAY(sa.Text()),
            nullable=False,
            comment="Types of unit whose figures are added up.",
        ),
        sa.Column(
            "measured_units",
            postgresql.ARRAY(sa.Text()),
            nullable=False,
            comment="Further units whose figures are added up.",
        ),
        sa.CheckConstraint(
            "(calculation = 'ratio_pct') = (denominator_measure IS NOT NULL)",
            name=op.f("indicator_ratio_has_denominator_check"),
        ),
        sa.CheckConstraint(
            "calculation IN ('ratio_pct', 'count', 'per_unit_day', 'days_since')",
            name=op.f("indicator_calculation_known_check"),
        ),
        sa.CheckConstraint("direction IN ('up', 'down')", name=op.f("indicator_direction_known_check")),
        sa.CheckConstraint("kind IN ('stock', 'flow')", name=op.f("indicator_kind_known_check")),
        sa.ForeignKeyConstraint(
            ["directive_code", "clause_code"],
            ["core.clause.directive_code", "core.clause.clause_code"],
            name=op.f("indicator_directive_code_clause_code_fk"),
        ),
        sa.PrimaryKeyConstraint("directive_code", "indicator_code", name=op.f("indicator_pk")),
        schema="core",
        comment="One row per indicator of a directive.",
    )
    op.create_table(
        "indicator_target",
        sa.Column("directive_code", sa.Text(), nullable=False, comment="Directive."),
        sa.Column("indicator_code", sa.Text(), nullable=False, comment="Indicator."),
        sa.Column(
            "target_number",
            sa.SmallInteger(),
            nullable=False,
            comment="Order in the directive's file, from 1.",
        ),
        sa.Column(
            "target_value", sa.Numeric(), nullable=False, comment="Value to reach, in the indicator's unit."
        ),
        sa.Column("valid_from", sa.Date(), nullable=False, comment="First day it holds."),
        sa.Column("valid_to", sa.Date(), nullable=True, comment="Last day it holds; NULL while open."),
        sa.Column(
            "due_date",
            sa.Date(),
            nullable=True,
            comment="Day by which it must be reached; NULL for a standing norm.",
        ),
        sa.Column(
            "unit_types",
            postgresql.ARRAY(sa.Text()),
            nullable=True,
            comment="Types of unit it holds for; NULL means all.",
        ),
        sa.Column("is_assumed", sa.Boolean(), nullable=False, comment="TRUE when no document gives it."),
        sa.Column("source", sa.Text(), nullable=True, comment="The document that gives it."),
        sa.Column("note", sa.Text(), nullable=True, comment="What should be known about it."),
        sa.CheckConstraint(
            "is_assumed OR source IS NOT NULL", name=op.f("indicator_target_sourced_or_assumed_check")
        ),
        sa.ForeignKeyConstraint(
            ["directive_code", "indicator_code"],
            ["core.indicator.directive_code", "core.indicator.indicator_code"],
            name=op.f("indicator_target_directive_code_indicator_code_fk"),
        ),
        sa.PrimaryKeyConstraint(
            "directive_code", "indicator_code", "target_number", name=op.f("indicator_target_pk")
        ),
        schema="core",
        comment="Targets with their validity and source.",
    )


def downgrade() -> None:
    op.drop_table("indicator_target", schema="core")
    op.drop_table("indicator", schema="core")
    op.drop_table("measure", schema="core")
    op.drop_table("clause", schema="core")
    op.drop_table("unit_succession", schema="core")
    op.drop_table("unit", schema="core")
    op.drop_table("procedure", schema="core")
    op.drop_table("portal_system", schema="core")
    op.drop_table("operator", schema="core")
    op.drop_table("directive", schema="core")
    op.drop_table("campaign", schema="core")
    op.drop_table("calendar_day", schema="core")
