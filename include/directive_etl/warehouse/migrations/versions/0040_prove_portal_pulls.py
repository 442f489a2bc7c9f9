"""Keep of each portal pull what it asked for, what it saw and whether it is proved; mark withdrawn dossiers

Revision: 0040, after 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "portal_dossier_version",
        sa.Column(
            "is_withdrawn",
            sa.Boolean(),
            nullable=False,
            server_default=sa.false(),
            comment="TRUE when a proven list should have held the dossier and did not.",
        ),
        schema="core",
    )
    # A pull from before says nothing about its window: an empty one, so that nothing is taken for withdrawn by it.
    for column, default in (
        (
            sa.Column(
                "window_from",
                sa.DateTime(timezone=True),
                nullable=False,
                comment="First time of change that was asked for.",
            ),
            "known_at",
        ),
        (
            sa.Column(
                "window_to",
                sa.DateTime(timezone=True),
                nullable=False,
                comment="First time of change after those asked for.",
            ),
            "known_at",
        ),
        (
            sa.Column(
                "is_proven",
                sa.Boolean(),
                nullable=False,
                comment="Whether the list proved itself whole; else its day is provisional.",
            ),
            "true",
        ),
        (
            sa.Column(
                "doubt", sa.Text(), nullable=False, comment="Why it is not proved whole; empty when it is."
            ),
            "''",
        ),
        (
            sa.Column(
                "seen_keys",
                sa.LargeBinary(),
                nullable=False,
                comment="Keys of the dossiers in the list, sorted, 8 bytes each.",
            ),
            "''",
        ),
    ):
        column.nullable = True
        op.add_column("portal_pull", column, schema="core")
        op.execute(f"update core.portal_pull set {column.name} = {default}")
        op.alter_column("portal_pull", column.name, nullable=False, schema="core")
    op.create_check_constraint(
        "proven_without_doubt", "portal_pull", "is_proven = (doubt = '')", schema="core"
    )
    op.create_table_comment(
        "portal_pull",
        "One row per pull: the days whose dossiers are known to the end, or provisional.",
        schema="core",
    )


def downgrade() -> None:
    op.create_table_comment(
        "portal_pull",
        "One row per complete pull: the days whose dossiers are known to the end.",
        schema="core",
    )
    op.drop_constraint("proven_without_doubt", "portal_pull", schema="core", type_="check")
    for name in ("seen_keys", "doubt", "is_proven", "window_to", "window_from"):
        op.drop_column("portal_pull", name, schema="core")
    op.drop_column("portal_dossier_version", "is_withdrawn", schema="core")
