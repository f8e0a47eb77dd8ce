"""draws of a new booking day, places on their way back, one open appointment for a person"""

import sqlalchemy as sa
from alembic import op


revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_STILL_OPEN = sa.text("state = 'booked'")


def upgrade() -> None:
    with op.batch_alter_table("appointments", schema=None) as batch_op:
        # Empty for what was booked before: two of a person's may be there already.
        batch_op.add_column(sa.Column("person", sa.String(), nullable=True))
    op.create_index(
        "ix_appointments_person",
        "appointments",
        ["person", "service", "day"],
        unique=True,
        sqlite_where=_STILL_OPEN,
        postgresql_where=_STILL_OPEN,
    )
    op.create_table(
        "draws",
        sa.Column("draw_id", sa.String(), nullable=False),
        sa.Column("hall", sa.String(), nullable=False),
        sa.Column("service", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("opens_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closes_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seed", sa.String(), nullable=False),
        sa.Column("commitment", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("drawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["hall"], ["halls.hall"], name=op.f("fk_draws_hall_halls")),
        sa.PrimaryKeyConstraint("draw_id", name=op.f("pk_draws")),
        sa.UniqueConstraint("hall", "service", "day", name=op.f("uq_draws_hall_service_day")),
    )
    op.create_index("ix_draws_due", "draws", ["state", "closes_at"], unique=False)
    op.create_table(
        "draw_entries",
        sa.Column("entry_id", sa.String(), nullable=False),
        sa.Column("draw_id", sa.String(), nullable=False),
        sa.Column("token", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=True),
        sa.Column("wishes", sa.Text(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("priority", sa.String(), nullable=True),
        sa.Column("phone_sealed", sa.String(), nullable=False),
        sa.Column("phone_masked", sa.String(), nullable=False),
        sa.Column("phone_index", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["draw_id"], ["draws.draw_id"], name=op.f("fk_draw_entries_draw_id_draws")),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_draw_entries")),
        sa.UniqueConstraint("draw_id", "phone_index", name=op.f("uq_draw_entries_draw_id_phone_index")),
        sa.UniqueConstraint("owner", "key", name=op.f("uq_draw_entries_owner_key")),
        sa.UniqueConstraint("token", name=op.f("uq_draw_entries_token")),
    )
    op.create_index("ix_draw_entries_order", "draw_entries", ["draw_id", "state", "rank"], unique=False)
    op.create_table(
        "freed_places",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("hall", sa.String(), nullable=False),
        sa.Column("service", sa.String(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("returns_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["hall"], ["halls.hall"], name=op.f("fk_freed_places_hall_halls")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_freed_places")),
    )
    op.create_index("ix_freed_places_due", "freed_places", ["returns_at"], unique=False)


def downgrade() -> None:
    op.drop_table("freed_places")
    op.drop_table("draw_entries")
    op.drop_table("draws")
    op.drop_index("ix_appointments_person", "appointments")
    with op.batch_alter_table("appointments", schema=None) as batch_op:
        batch_op.drop_column("person")
