"""rows that hold a number are found by their age"""

import sqlalchemy as sa
from alembic import op


revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_MASKED = "phone_masked IS NOT NULL"
_INDEXES = (
    ("ix_tickets_phone", "tickets", "day", _MASKED),
    ("ix_requests_phone", "requests", "requested_at", _MASKED),
    ("ix_appointments_erase", "appointments", "day", _MASKED),
    ("ix_draw_entries_phone", "draw_entries", "draw_id", "phone_sealed <> ''"),
    ("ix_notices_phone", "notices", "made_at", "to_key <> '' OR phone_sealed IS NOT NULL"),
)


def upgrade() -> None:
    for name, table, column, which in _INDEXES:
        where = sa.text(which)
        op.create_index(name, table, [column], sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    for name, table, _, _ in reversed(_INDEXES):
        op.drop_index(name, table)
