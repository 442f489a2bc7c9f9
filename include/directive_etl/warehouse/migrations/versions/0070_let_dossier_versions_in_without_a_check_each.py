"""Let versions of dossiers in without looking each one's batch up; say which figures have a second witness

Revision: 0070, after 0065
"""

import sqlalchemy as sa
from alembic import op

revision = "0070"
down_revision = "0065"
branch_labels = None
depends_on = None

_NAME = "portal_dossier_version_batch_id_fk"


def upgrade() -> None:
    op.drop_constraint(_NAME, "portal_dossier_version", schema="core", type_="foreignkey")
    op.create_table(
        "dossier_witness",
        sa.Column("directive_code", sa.Text(), nullable=False, comment="Directive."),
        sa.Column("measure_code", sa.Text(), nullable=False, comment="What units report."),
        sa.Column(
            "portal_count", sa.Text(), nullable=False, comment="Column of portal_daily that counts the same."
        ),
        sa.Column(
            "tolerance_pct",
            sa.Numeric(),
            nullable=False,
            comment="Difference allowed, of the portals' count.",
        ),
        sa.Column(
            "tolerance_count", sa.Integer(), nullable=False, comment="Difference allowed. Unit: dossiers."
        ),
        sa.ForeignKeyConstraint(
            ["directive_code"],
            ["core.directive.directive_code"],
            name=op.f("dossier_witness_directive_code_fk"),
        ),
        sa.ForeignKeyConstraint(
            ["directive_code", "measure_code"],
            ["core.measure.directive_code", "core.measure.measure_code"],
            name=op.f("dossier_witness_directive_code_measure_code_fk"),
        ),
        sa.PrimaryKeyConstraint("directive_code", "measure_code", name=op.f("dossier_witness_pk")),
        schema="core",
        comment="One row per figure of units that the portals count too. Source: registry/directives.",
    )


def downgrade() -> None:
    op.drop_table("dossier_witness", schema="core")
    op.create_foreign_key(
        _NAME,
        "portal_dossier_version",
        "load_batch",
        ["batch_id"],
        ["batch_id"],
        source_schema="core",
        referent_schema="ops",
    )
