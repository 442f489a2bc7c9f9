"""Let versions of dossiers in without looking each one's batch up

Revision: 0070, after 0050
"""

from alembic import op

revision = "0070"
down_revision = "0050"
branch_labels = None
depends_on = None

_NAME = "portal_dossier_version_batch_id_fk"


def upgrade() -> None:
    op.drop_constraint(_NAME, "portal_dossier_version", schema="core", type_="foreignkey")


def downgrade() -> None:
    op.create_foreign_key(
        _NAME,
        "portal_dossier_version",
        "load_batch",
        ["batch_id"],
        ["batch_id"],
        source_schema="core",
        referent_schema="ops",
    )
