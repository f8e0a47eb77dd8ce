"""Small facts about this controller that outlive it: its epoch and the documents halls should follow."""

from sqlalchemy import select

from controller.store.bulk import upsert
from controller.store.database import Tx
from controller.store.tables import DOCUMENTS

__all__ = ["next_epoch", "revision_of"]


def next_epoch(tx: Tx) -> int:
    """The number of this start; it rises with each."""
    rev = (tx.execute(select(DOCUMENTS.c.rev).where(DOCUMENTS.c.name == "epoch")).scalar() or 0) + 1
    upsert(tx, DOCUMENTS, [{"name": "epoch", "rev": rev, "body": ""}])
    return int(rev)


def revision_of(tx: Tx, name: str, body: str) -> int:
    """The revision of a document with this content: one more than before when the content changed."""
    row = tx.execute(select(DOCUMENTS.c.rev, DOCUMENTS.c.body).where(DOCUMENTS.c.name == name)).first()
    if row is not None and row[1] == body:
        return int(row[0])
    rev = (row[0] if row else 0) + 1
    upsert(tx, DOCUMENTS, [{"name": name, "rev": rev, "body": body}])
    return int(rev)
