"""Count the receipts that came for days that were final

Revision: 0060, after 0050
"""

import sqlalchemy as sa
from alembic import op

revision = "0060"
down_revision = "0050"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "load_batch",
        sa.Column(
            "late_count",
            sa.Integer(),
            nullable=False,
            server_default="0",
            comment="Of those loaded or sent more than once, delivery receipts for days that were final; they change nothing.",
        ),
        schema="ops",
    )
    op.create_check_constraint(
        op.f("load_batch_late_are_loaded_check"),
        "load_batch",
        "late_count BETWEEN 0 AND loaded_count + duplicate_count",
        schema="ops",
    )


def downgrade() -> None:
    op.drop_constraint(op.f("load_batch_late_are_loaded_check"), "load_batch", schema="ops")
    op.drop_column("load_batch", "late_count", schema="ops")
