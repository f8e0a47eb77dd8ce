"""notices are found by when they are due, however many wait"""

from alembic import op


revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_notices_next", "notices", ["state", "next_at"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_notices_next", table_name="notices")
