"""ratings: reasons, cases with their steps, managers' telephones"""

import sqlalchemy as sa
from alembic import op


revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

#: steps are evidence: no program changes or removes them, whatever it believes
KEPT = "steps of rating cases are only added"


def upgrade() -> None:
    with op.batch_alter_table("ratings", schema=None) as batch_op:
        batch_op.add_column(sa.Column("reasons", sa.String(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("channel", sa.String(), nullable=False, server_default=""))
        batch_op.create_index("ix_ratings_at", ["hall", "at"], unique=False)

    op.create_table(
        "rating_cases",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("ticket_id", sa.String(), nullable=False),
        sa.Column("hall", sa.String(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("score", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("assigned_to", sa.String(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer_due", sa.DateTime(timezone=True), nullable=False),
        sa.Column("close_due", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rating_cases")),
        sa.UniqueConstraint("ticket_id", name=op.f("uq_rating_cases_ticket_id")),
    )
    with op.batch_alter_table("rating_cases", schema=None) as batch_op:
        batch_op.create_index("ix_rating_cases_hall", ["hall", "state", "id"], unique=False)
        batch_op.create_index("ix_rating_cases_due", ["state", "level", "answer_due"], unique=False)

    op.create_table(
        "rating_case_steps",
        sa.Column("case_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("assignee", sa.String(), nullable=False),
        sa.Column("result", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"], ["rating_cases.id"], name=op.f("fk_rating_case_steps_case_id_rating_cases")
        ),
        sa.PrimaryKeyConstraint("case_id", "n", name=op.f("pk_rating_case_steps")),
    )
    op.create_table(
        "hall_managers",
        sa.Column("hall", sa.String(), nullable=False),
        sa.Column("phone_sealed", sa.String(), nullable=False),
        sa.Column("phone_masked", sa.String(), nullable=False),
        sa.Column("set_by", sa.String(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("hall", name=op.f("pk_hall_managers")),
    )
    if op.get_bind().dialect.name == "sqlite":
        for what in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER rating_case_steps_{what.lower()} BEFORE {what} ON rating_case_steps "
                f"BEGIN SELECT RAISE(ABORT, '{KEPT}'); END"
            )
    else:
        op.execute(
            "CREATE FUNCTION rating_case_steps_kept() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{KEPT}' USING ERRCODE = 'integrity_constraint_violation'; END $$"
        )
        op.execute(
            "CREATE TRIGGER rating_case_steps_kept BEFORE UPDATE OR DELETE ON rating_case_steps "
            "FOR EACH ROW EXECUTE FUNCTION rating_case_steps_kept()"
        )


def downgrade() -> None:
    op.drop_table("hall_managers")
    op.drop_table("rating_case_steps")
    if op.get_bind().dialect.name != "sqlite":
        op.execute("DROP FUNCTION rating_case_steps_kept()")
    op.drop_table("rating_cases")
    with op.batch_alter_table("ratings", schema=None) as batch_op:
        batch_op.drop_index("ix_ratings_at")
        batch_op.drop_column("channel")
        batch_op.drop_column("reasons")
