"""Note which days changed together with their figures, so that a task that dies forgets none

Revision: 0095, after 0090
"""

import sqlalchemy as sa
from alembic import op

revision = "0095"
down_revision = "0090"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "changed_day",
        sa.Column("change_id", sa.BigInteger(), sa.Identity(always=True), nullable=False, comment="Number."),
        sa.Column("source_code", sa.Text(), nullable=False, comment="Whose figures changed."),
        sa.Column("report_date", sa.Date(), nullable=False, comment="The day they are about."),
        sa.Column(
            "claimed_by",
            sa.Text(),
            nullable=True,
            comment="The run that publishes the day; NULL until one does.",
        ),
        sa.PrimaryKeyConstraint("change_id", name=op.f("changed_day_pk")),
        schema="ops",
        comment="Days whose figures changed since their progress was recomputed; written with the figures. Usually empty.",
    )
    op.create_index(op.f("changed_day_report_date_idx"), "changed_day", ["report_date"], schema="ops")


def downgrade() -> None:
    op.drop_table("changed_day", schema="ops")
