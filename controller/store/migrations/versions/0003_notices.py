"""notices: who carries them, their template words, limits per number, receipts that come early"""

import sqlalchemy as sa
from alembic import op


revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("notices", schema=None) as batch_op:
        batch_op.add_column(sa.Column("provider", sa.String(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("words", sa.Text(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("phone_sealed", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("to_key", sa.String(), nullable=False, server_default=""))
        batch_op.create_index("ix_notices_given", ["provider", "provider_id"], unique=False)
        batch_op.create_index("ix_notices_number", ["to_key", "sent_at"], unique=False)

    op.create_table(
        "early_receipts",
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("provider_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("provider", "provider_id", name=op.f("pk_early_receipts")),
    )


def downgrade() -> None:
    op.drop_table("early_receipts")
    with op.batch_alter_table("notices", schema=None) as batch_op:
        batch_op.drop_index("ix_notices_number")
        batch_op.drop_index("ix_notices_given")
        batch_op.drop_column("to_key")
        batch_op.drop_column("phone_sealed")
        batch_op.drop_column("words")
        batch_op.drop_column("provider")
