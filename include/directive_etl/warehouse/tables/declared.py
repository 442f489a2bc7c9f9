"""Schema `core`, the declared part: units, directive, indicators, operators, procedures, calendar."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from directive_etl.warehouse.tables.metadata import metadata

unit = sa.Table(
    "unit",
    metadata,
    sa.Column(
        "unit_code",
        sa.Text,
        primary_key=True,
        comment="Code of the unit; codes of wards are reused over time.",
    ),
    sa.Column(
        "valid_from", sa.Date, primary_key=True, comment="First day in force; 1900-01-01 when not researched."
    ),
    sa.Column("valid_to", sa.Date, comment="Last day in force; NULL while in force."),
    sa.Column("name_vi", sa.Text, nullable=False, comment="Name in Vietnamese."),
    sa.Column("name_en", sa.Text, comment="Name in English, where one is known."),
    sa.Column(
        "unit_type", sa.Text, nullable=False, comment="Type, e.g. so_ban_nganh, ubnd_quan_huyen, xa_phuong."
    ),
    sa.Column("parent_unit_code", sa.Text, comment="The unit it is added up to; NULL for the city."),
    sa.Column("gso_code", sa.Text, comment="Code of the General Statistics Office."),
    sa.Column("population_2019", sa.Integer, comment="Census of 1 April 2019. Unit: persons."),
    sa.Column("status", sa.Text, nullable=False, comment="How sure the row is."),
    sa.Column("source", sa.Text, nullable=False, comment="Where the row comes from."),
    sa.CheckConstraint("valid_to IS NULL OR valid_to >= valid_from", name="valid_period"),
    schema="core",
    comment="One row per unit and period of validity. Key: code and valid_from. Source: registry/units.",
)

unit_succession = sa.Table(
    "unit_succession",
    metadata,
    sa.Column("old_code", sa.Text, primary_key=True, comment="Code before the change."),
    sa.Column("new_code", sa.Text, primary_key=True, comment="Code after the change."),
    sa.Column("effective_from", sa.Date, primary_key=True, comment="First day of the new unit."),
    sa.Column("old_name", sa.Text, nullable=False, comment="Name before the change."),
    sa.Column("new_name", sa.Text, nullable=False, comment="Name after the change."),
    sa.Column("kind", sa.Text, nullable=False, comment="whole, part or whole-or-unchanged."),
    sa.Column("status", sa.Text, nullable=False, comment="How sure the row is."),
    sa.Column("source", sa.Text, nullable=False, comment="Where the row comes from."),
    schema="core",
    comment="Which unit became which. A part needs weights before figures may be carried over.",
)

directive = sa.Table(
    "directive",
    metadata,
    sa.Column("directive_code", sa.Text, primary_key=True, comment="Short code of the directive."),
    sa.Column("directive_number", sa.Text, nullable=False, unique=True, comment="Number as issued."),
    sa.Column("title_vi", sa.Text, nullable=False, comment="Subject in Vietnamese."),
    sa.Column("title_en", sa.Text, nullable=False, comment="Subject in English."),
    sa.Column("issued_on", sa.Date, nullable=False, comment="Day of issue."),
    sa.Column("active_from", sa.Date, nullable=False, comment="First day that is measured."),
    sa.Column("active_to", sa.Date, comment="Last day that is measured; NULL while open."),
    schema="core",
    comment="One row per directive. Source: registry/directives.",
)

clause = sa.Table(
    "clause",
    metadata,
    sa.Column(
        "directive_code",
        sa.ForeignKey("core.directive.directive_code"),
        primary_key=True,
        comment="Directive.",
    ),
    sa.Column("clause_code", sa.Text, primary_key=True, comment="Clause as numbered in the directive."),
    sa.Column("position", sa.SmallInteger, nullable=False, comment="Order in the directive, from 1."),
    sa.Column("text_vi", sa.Text, nullable=False, comment="Text in Vietnamese."),
    sa.Column("text_en", sa.Text, nullable=False, comment="Meaning in English."),
    sa.Column("obligation", sa.Text, nullable=False, comment="assigned or requested."),
    schema="core",
    comment="One row per clause of a directive.",
)

indicator = sa.Table(
    "indicator",
    metadata,
    sa.Column("directive_code", sa.Text, primary_key=True, comment="Directive."),
    sa.Column("indicator_code", sa.Text, primary_key=True, comment="Code of the indicator."),
    sa.Column("clause_code", sa.Text, nullable=False, comment="Clause it measures."),
    sa.Column("position", sa.SmallInteger, nullable=False, comment="Order in the directive, from 1."),
    sa.Column("name_vi", sa.Text, nullable=False, comment="Name in Vietnamese."),
    sa.Column("name_en", sa.Text, nullable=False, comment="Name in English."),
    sa.Column(
        "calculation", sa.Text, nullable=False, comment="ratio_pct, count, per_unit_day or days_since."
    ),
    sa.Column("kind", sa.Text, nullable=False, comment="stock (last value of a period) or flow (adds up)."),
    sa.Column("direction", sa.Text, nullable=False, comment="up: more is better; down: less is better."),
    sa.Column("source_code", sa.Text, nullable=False, comment="Source of its measures."),
    sa.Column("numerator_measure", sa.Text, nullable=False, comment="Measure added up in the numerator."),
    sa.Column("numerator_categories", ARRAY(sa.Text), comment="Its categories; NULL means all."),
    sa.Column(
        "denominator_measure", sa.Text, comment="Measure added up in the denominator, where there is one."
    ),
    sa.Column("denominator_categories", ARRAY(sa.Text), comment="Its categories; NULL means all."),
    sa.Column(
        "responsible_unit_types", ARRAY(sa.Text), nullable=False, comment="Types of unit that answer for it."
    ),
    sa.Column(
        "responsible_units",
        ARRAY(sa.Text),
        nullable=False,
        comment="Further units that answer for it, by code.",
    ),
    sa.Column(
        "measured_unit_types",
        ARRAY(sa.Text),
        nullable=False,
        comment="Types of unit whose figures are added up.",
    ),
    sa.Column(
        "measured_units", ARRAY(sa.Text), nullable=False, comment="Further units whose figures are added up."
    ),
    sa.ForeignKeyConstraint(
        ["directive_code", "clause_code"], ["core.clause.directive_code", "core.clause.clause_code"]
    ),
    sa.CheckConstraint(
        "calculation IN ('ratio_pct', 'count', 'per_unit_day', 'days_since')", name="calculation_known"
    ),
    sa.CheckConstraint("kind IN ('stock', 'flow')", name="kind_known"),
    sa.CheckConstraint("direction IN ('up', 'down')", name="direction_known"),
    sa.CheckConstraint(
        "(calculation = 'ratio_pct') = (denominator_measure IS NOT NULL)", name="ratio_has_denominator"
    ),
    schema="core",
    comment="One row per indicator of a directive.",
)

indicator_target = sa.Table(
    "indicator_target",
    metadata,
    sa.Column("directive_code", sa.Text, primary_key=True, comment="Directive."),
    sa.Column("indicator_code", sa.Text, primary_key=True, comment="Indicator."),
    sa.Column(
        "target_number", sa.SmallInteger, primary_key=True, comment="Order in the directive's file, from 1."
    ),
    sa.Column("target_value", sa.Numeric, nullable=False, comment="Value to reach, in the indicator's unit."),
    sa.Column("valid_from", sa.Date, nullable=False, comment="First day it holds."),
    sa.Column("valid_to", sa.Date, comment="Last day it holds; NULL while open."),
    sa.Column("due_date", sa.Date, comment="Day by which it must be reached; NULL for a standing norm."),
    sa.Column("unit_types", ARRAY(sa.Text), comment="Types of unit it holds for; NULL means all."),
    sa.Column("is_assumed", sa.Boolean, nullable=False, comment="TRUE when no document gives it."),
    sa.Column("source", sa.Text, comment="The document that gives it."),
    sa.Column("note", sa.Text, comment="What should be known about it."),
    sa.ForeignKeyConstraint(
        ["directive_code", "indicator_code"],
        ["core.indicator.directive_code", "core.indicator.indicator_code"],
    ),
    sa.CheckConstraint("is_assumed OR source IS NOT NULL", name="sourced_or_assumed"),
    schema="core",
    comment="Targets with their validity and source.",
)

measure = sa.Table(
    "measure",
    metadata,
    sa.Column(
        "directive_code",
        sa.ForeignKey("core.directive.directive_code"),
        primary_key=True,
        comment="Directive.",
    ),
    sa.Column("measure_code", sa.Text, primary_key=True, comment="Code of the measure."),
    sa.Column("name_vi", sa.Text, nullable=False, comment="Name in Vietnamese."),
    sa.Column("name_en", sa.Text, nullable=False, comment="Name in English."),
    sa.Column("source_code", sa.Text, nullable=False, comment="Source that gives it."),
    sa.Column("kind", sa.Text, nullable=False, comment="stock or flow."),
    schema="core",
    comment="One row per number that a source gives.",
)

dossier_witness = sa.Table(
    "dossier_witness",
    metadata,
    sa.Column(
        "directive_code",
        sa.ForeignKey("core.directive.directive_code"),
        primary_key=True,
        comment="Directive.",
    ),
    sa.Column("measure_code", sa.Text, primary_key=True, comment="What units report."),
    sa.Column(
        "portal_count", sa.Text, nullable=False, comment="Column of portal_daily that counts the same."
    ),
    sa.Column(
        "tolerance_pct", sa.Numeric, nullable=False, comment="Difference allowed, of the portals' count."
    ),
    sa.Column("tolerance_count", sa.Integer, nullable=False, comment="Difference allowed. Unit: dossiers."),
    sa.ForeignKeyConstraint(
        ["directive_code", "measure_code"], ["core.measure.directive_code", "core.measure.measure_code"]
    ),
    schema="core",
    comment="One row per figure of units that the portals count too. Source: registry/directives.",
)

operator = sa.Table(
    "operator",
    metadata,
    sa.Column("operator_code", sa.Text, primary_key=True, comment="Code of the operator."),
    sa.Column("name", sa.Text, nullable=False, comment="Name."),
    sa.Column(
        "window_days", sa.SmallInteger, nullable=False, comment="Days that receipts are awaited. Unit: days."
    ),
    schema="core",
    comment="Telecom operators that send SMS logs. Source: registry/operators.",
)

campaign = sa.Table(
    "campaign",
    metadata,
    sa.Column("campaign_code", sa.Text, primary_key=True, comment="Code of the campaign."),
    sa.Column("name_vi", sa.Text, nullable=False, comment="Name in Vietnamese."),
    sa.Column(
        "subscriber_count", sa.Integer, nullable=False, comment="Subscribers to reach. Unit: subscribers."
    ),
    sa.Column("is_assumed", sa.Boolean, nullable=False, comment="TRUE when no document gives the number."),
    sa.Column(
        "wave_min_messages", sa.Integer, nullable=False, comment="Messages a day from which it is a wave."
    ),
    schema="core",
    comment="SMS campaigns. Source: registry/campaigns.",
)

portal_system = sa.Table(
    "portal_system",
    metadata,
    sa.Column("system_code", sa.Text, primary_key=True, comment="Code of the system."),
    sa.Column("name_vi", sa.Text, nullable=False, comment="Name in Vietnamese."),
    sa.Column("name_en", sa.Text, nullable=False, comment="Name in English."),
    schema="core",
    comment="Online-service systems that dossiers are pulled from. Source: registry/systems.",
)

procedure = sa.Table(
    "procedure",
    metadata,
    sa.Column("procedure_code", sa.Text, primary_key=True, comment="National code of the procedure."),
    sa.Column("valid_from", sa.Date, primary_key=True, comment="First day the service level holds."),
    sa.Column("valid_to", sa.Date, comment="Last day; NULL while it holds."),
    sa.Column("name_vi", sa.Text, nullable=False, comment="Name in Vietnamese."),
    sa.Column(
        "service_level", sa.SmallInteger, nullable=False, comment="Level of the online service, 1 to 4."
    ),
    sa.CheckConstraint("service_level BETWEEN 1 AND 4", name="service_level_known"),
    schema="core",
    comment="Administrative procedures with their online service level. Source: registry/procedures.",
)

calendar_day = sa.Table(
    "calendar_day",
    metadata,
    sa.Column("calendar_date", sa.Date, primary_key=True, comment="Day."),
    sa.Column("is_working_day", sa.Boolean, nullable=False, comment="Whether state bodies work on it."),
    sa.Column("kind", sa.Text, nullable=False, comment="Kind of day: working, weekend, holiday, swapped ..."),
    sa.Column("name_vi", sa.Text, comment="Name of the holiday."),
    schema="core",
    comment="Working-day calendar. Source: registry/calendar.",
)
