"""What cannot be confirmed is shown as unconfirmed, by icon and words, to whoever manages the halls."""

from typing import Any

import pytest
from playwright.sync_api import expect

DESK = {"width": 1440, "height": 900}
HALL = "binjiang"


def row(hall: Any, **changes: Any) -> None:
    hall["devices"] = [
        {"name": "pagers", "kind": "pager", "profile": "pager.pocsag-serial", "state": "unconfirmed",
         "since": hall["last_seen"], "assurance": "none", **changes}
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        ("unconfirmed", "已发送，无法确认"),
        ("unreachable", "未送达"),
        ("expired", "超时未执行"),
        ("applied", "已执行并读回"),
    ],
)
def test_the_last_outcome_stands_beside_the_device_in_words_and_with_an_icon(
    centre: Any, window: Any, outcome: str, said: str
) -> None:
    hall = next(h for h in centre.fake.all if h["id"] == HALL)
    row(hall, outcome=outcome, outcome_at=hall["last_seen"], values={"temperature": 21.5})
    page = window(DESK)
    page.goto(f"{centre.url}/halls/{HALL}")
    devices = page.locator("#devices")
    expect(devices).to_contain_text("此设备只收不答，无法确认")
    expect(devices).to_contain_text(said)
    expect(devices).to_contain_text("21.5 °C")
    expect(devices.locator(".dim svg")).to_have_count(2)
