"""Keep what people decide about held batches, and each check's result as Great Expectations gave it

Revision: 0090, after 0070
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0090"
down_revision = "0070"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "batch_decision",
        sa.Column("batch_id", sa.BigInteger(), nullable=False, comment="The batch held."),
        sa.Column("decision_code", sa.Text(), nullable=False, comment="released or rejected."),
        sa.Column("reason", sa.Text(), nullable=False, comment="Why, in the words of who asked for it."),
        sa.Column("decided_by", sa.Text(), nullable=False, comment="Airflow's name of who decided."),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="When it was decided.",
        ),
        sa.CheckConstraint(
            "decision_code IN ('released', 'rejected')", name=op.f("batch_decision_decision_known_check")
        ),
        sa.CheckConstraint("btrim(reason) <> ''", name=op.f("batch_decision_decided_with_a_reason_check")),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["ops.load_batch.batch_id"], name=op.f("batch_decision_batch_id_fk")
        ),
        sa.PrimaryKeyConstraint("batch_id", name=op.f("batch_decision_pk")),
        schema="ops",
        comment="What people decided about batches that a critical check held back.",
    )
    op.add_column(
        "quality_result",
        sa.Column(
            "details",
            postgresql.JSONB(),
            server_default="{}",
            nullable=False,
            comment="The result as Great Expectations gave it, offending values masked; empty for a check of our own.",
        ),
        schema="ops",
    )


def downgrade() -> None:
    op.drop_column("quality_result", "details", schema="ops")
    op.drop_table("batch_decision", schema="ops")
