"""Receipts into notices, in whatever order and however often they come."""

from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, select

from controller.store.bulk import upsert
from controller.store.database import Tx
from controller.store.notices import change_notice
from controller.store.tables import NOTICES, RECEIPTS

__all__ = ["apply_receipt", "forget_early", "settle_early"]

#: what a receipt may change: a delivery is the last word, a failure only yields to a delivery
_OPEN = ("pending", "sending", "unknown", "accepted", "suppressed")
_MAY_BECOME = {"accepted": _OPEN[:3], "failed": _OPEN, "delivered": (*_OPEN, "failed", "rejected")}


# Built once: for a small statement building it costs more than running it.
_FOUND = select(NOTICES.c.id, NOTICES.c.state, NOTICES.c.sent_at)
# Each speaks for what it was given, not for what another one carries.
_OF_PROVIDER = _FOUND.where(NOTICES.c.provider == bindparam("provider"))
_BY_REF = _OF_PROVIDER.where(NOTICES.c.client_ref == bindparam("ref"))
_BY_ID = _OF_PROVIDER.where(NOTICES.c.provider_id == bindparam("provider_id"))
_EARLY_KEY = (RECEIPTS.c.provider == bindparam("key")) & (RECEIPTS.c.provider_id == bindparam("key_id"))
_EARLY = select(RECEIPTS.c.state, RECEIPTS.c.reason).where(_EARLY_KEY)
_DROP_EARLY = delete(RECEIPTS).where(_EARLY_KEY)


def apply_receipt(
    tx: Tx, provider: str, *, state: str, provider_id: str, client_ref: str, reason: str, now: datetime
) -> bool:
    """Gives whether it changed a notice. When none is known by this id it is kept for the answer to come."""
    query, key = (_BY_REF, {"ref": client_ref}) if client_ref else (_BY_ID, {"provider_id": provider_id})
    found = tx.execute(query, {"provider": provider, **key}).mappings().first()
    if found is None:
        if provider_id and state != "accepted":
            _keep(tx, provider, provider_id, state, reason, now)
        return False
    # Nobody may claim to have delivered what was never handed over.
    changes_it = found["sent_at"] is not None and found["state"] in _MAY_BECOME[state]
    if changes_it:
        changes: dict[str, Any] = {"state": state, "reason": reason[:200], "updated_at": now}
        if provider_id:
            changes["provider_id"] = provider_id
        change_notice(tx, found["id"], **changes)
    if provider_id and state == "accepted":
        settle_early(tx, provider, provider_id, now)
    return changes_it


def settle_early(tx: Tx, provider: str, provider_id: str, now: datetime) -> None:
    """The answer is stored now: the receipt that came before it counts."""
    key = {"key": provider, "key_id": provider_id}
    early = tx.execute(_EARLY, key).first()
    if early is not None:
        tx.execute(_DROP_EARLY, key)
        found = {"state": early[0], "reason": early[1]}
        apply_receipt(tx, provider, provider_id=provider_id, client_ref="", now=now, **found)


def forget_early(tx: Tx, before: datetime) -> int:
    """Receipts that belong to nothing of ours; gives how many were removed."""
    return tx.execute(delete(RECEIPTS).where(RECEIPTS.c.at < before)).rowcount


def _keep(tx: Tx, provider: str, provider_id: str, state: str, reason: str, now: datetime) -> None:
    known = tx.execute(_EARLY, {"key": provider, "key_id": provider_id}).first()
    if known is None or known[0] != "delivered":
        row = {"provider": provider, "provider_id": provider_id, "state": state, "reason": reason[:200]}
        upsert(tx, RECEIPTS, [{**row, "at": now}])
