"""A hall that could not give a number just then, for its disk was full or its zone had not come yet, said no
for that moment only: the same request asks it anew. Any other no is the answer for good.
"""

import json
from typing import Any

from controller.store import tickets as ticket_store
from controller.use_cases.context import Context
from controller.use_cases.draft import Draft
from controller.use_cases.live import LiveHall
from controller.use_cases.standing import spend_credit
from controller.use_cases.wishing import REQUEST_PREFIX, wish
from hall_core.errors import Refused
from hall_core.queueing.commands import IssueTicket

__all__ = ["ask_anew", "passing"]


def passing(row: dict[str, Any]) -> bool:
    """True for a request whose answer was a no that passes."""
    refused = json.loads(row["answer"]).get("refused") if row["answer"] else None
    return refused is not None and Refused.named(refused).passes()


async def ask_anew(
    context: Context, hall: LiveHall, row: dict[str, Any], *, priority: str | None, phone: str | None
) -> dict[str, Any]:
    """The request waiting again, by another name and for the same ticket; as it is when somebody was faster.

    The hall has refused the name before for good, so one ticket at most can come of both.
    """

    def again(draft: Draft) -> dict[str, Any]:
        found = ticket_store.request(draft.tx, row["owner"], row["key"])
        assert found is not None
        if not passing(found):
            return found
        index = context.phones.index(phone) if phone else None
        person = {"priority": priority, "phone_index": index, "appointment_id": found["ticket_id"]}
        owed = spend_credit(context, draft, hall, person)["priority"]
        request_id = f"{REQUEST_PREFIX}{context.new_id()}"
        asked = IssueTicket.model_validate_json(found["wish"])
        wished = asked.model_copy(update={"request_id": request_id, "priority": owed})
        changes = {"state": "waiting", "answer": None, "wish": wished.model_dump_json()}
        ticket_store.change_request(draft.tx, found["request_id"], request_id=request_id, **changes)
        if hall.online:
            wish(draft, hall, [wished])
        return {**found, **changes, "request_id": request_id}

    return await context.change(again)
