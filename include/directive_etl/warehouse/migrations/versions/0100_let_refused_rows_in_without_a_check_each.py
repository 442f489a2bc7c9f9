"""Let refused rows in without looking each one's batch up

Revision: 0100, after 0095
"""

from alembic import op

revision = "0100"
down_revision = "0095"
branch_labels = None
depends_on = None

_NAME = "refused_row_batch_id_fk"


def upgrade() -> None:
    op.drop_constraint(_NAME, "refused_row", schema="ops", type_="foreignkey")


def downgrade() -> None:
    op.create_foreign_key(
        _NAME,
        "refused_row",
        "load_batch",
        ["batch_id"],
        ["batch_id"],
        source_schema="ops",
        referent_schema="ops",
    )
