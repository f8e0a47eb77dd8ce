"""Pictures and jobs the tests share."""

from datetime import UTC, datetime

from hall_core.devices.vocabulary import PrintTicket

JOB = PrintTicket(
    job_id="01J0000000000000000000000A",
    hall="海棠街道政务服务中心",
    label="A018",
    service="社保业务",
    ahead=3,
    range_text="约 10–20 分钟",
    issued_at=datetime(2026, 11, 23, 1, 30, tzinfo=UTC),
    url="https://example.org/t/abc",
    hint="过号请到咨询台恢复排队",
)
