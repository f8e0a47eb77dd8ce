"""waits told and waits that came true; where each stream's days begin; sealed chains of calls"""

import json
from datetime import date

import sqlalchemy as sa
from alembic import op


revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "waits",
        sa.Column("ticket_id", sa.String(), nullable=False),
        sa.Column("hall", sa.String(), nullable=False),
        sa.Column("service", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("hour", sa.Integer(), nullable=False),
        sa.Column("low", sa.Integer(), nullable=True),
        sa.Column("high", sa.Integer(), nullable=True),
        sa.Column("minutes", sa.Float(), nullable=False),
        sa.Column("called_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("ticket_id", name=op.f("pk_waits")),
    )
    with op.batch_alter_table("waits", schema=None) as batch_op:
        batch_op.create_index("ix_waits_day", ["hall", "day"], unique=False)

    days = op.create_table(
        "stream_days",
        sa.Column("stream", sa.String(), nullable=False),
        sa.Column("n", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("stream", "n", name=op.f("pk_stream_days")),
    )
    op.create_table(
        "chain_heads",
        sa.Column("stream", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("hall", sa.String(), nullable=False),
        sa.Column("n", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("head", sa.String(), nullable=False),
        sa.Column("signature", sa.String(), nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("stream", "day", name=op.f("pk_chain_heads")),
    )
    told = op.get_bind().execute(
        sa.text(
            "SELECT facts.stream, facts.n, facts.body FROM facts JOIN streams "
            "ON streams.stream = facts.stream AND streams.agent = facts.agent "
            "WHERE facts.kind = 'business-day-opened'"
        )
    )
    rows = [{"stream": stream, "n": n, "day": _day(body)} for stream, n, body in told]
    known = [row for row in rows if row["day"] is not None]
    if known:
        op.bulk_insert(days, known)


def _day(body: str) -> date | None:
    """None for a fact that was set aside because it cannot be read."""
    try:
        return date.fromisoformat(json.loads(body)["day"])
    except (ValueError, KeyError, TypeError):
        return None


def downgrade() -> None:
    op.drop_table("chain_heads")
    op.drop_table("stream_days")
    op.drop_table("waits")
