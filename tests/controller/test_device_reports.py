"""What a hall says of its devices: how sure it is of them, what came of the last order, what they measure."""

from controller.use_cases.views import hall_view
from hall_core.wire.envelope import DeviceReport


def device(**more):
    fields = {"name": "pagers", "kind": "pager", "profile": "pager.pocsag-serial", "state": "unconfirmed"}
    return DeviceReport(**fields, since="2026-11-23T09:00:00+08:00", **more)


async def seen(centre, box, *devices):
    await centre.talk(box, box.report(*devices))
    hall = await centre.context.enrolled_hall("haitang")
    return hall_view(centre.context, hall)["devices"]


async def test_assurance_outcome_and_values_are_shown_with_the_device(centre, box):
    await centre.meet(box)
    told = {
        "assurance": "none",
        "outcome": "unconfirmed",
        "outcome_at": "2026-11-23T09:30:00+08:00",
        "values": {"temperature": 21.5},
    }
    (shown,) = await seen(centre, box, device(**told))
    assert told.items() <= shown.items()
    (stored,) = centre.rows("DEVICES")
    assert stored["state"] == "unconfirmed"


async def test_a_hall_that_does_not_say_so_yet_is_shown_without(centre, box):
    await centre.meet(box)
    (shown,) = await seen(centre, box, device())
    assert (shown["assurance"], shown["outcome"], shown["values"]) == (None, None, {})


async def test_a_new_outcome_alone_is_shown_and_raises_no_alarm(centre, box):
    await centre.meet(box)
    await seen(centre, box, device(outcome="accepted"))
    (shown,) = await seen(centre, box, device(outcome="unreachable"))
    assert shown["outcome"] == "unreachable"
    assert not centre.rows("ALARMS")
