"""The messages: golden files hold every field, and no bytes whatever raise anything but WireError."""

import json
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from hall_core.errors import WireError
from hall_core.queueing.commands import Command
from hall_core.queueing.facts import Fact
from hall_core.wire import envelope
from hall_core.wire.envelope import BATCH, MAX_BYTES, Ack, FactBatch, Message, WishBatch, decode, encode
from hall_core.wire.topics import TOPICS

GOLDEN = Path(__file__).parent / "golden"
KINDS: list[type[Message]] = sorted(
    {getattr(envelope, row.message) for row in TOPICS}, key=lambda k: k.__name__
)
every_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda k: k.__name__)


def golden(kind: type[Message]) -> Any:
    return json.loads((GOLDEN / f"{kind.__name__}.json").read_text("utf-8"))


def as_bytes(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def names_every_field(value: object, body: object) -> None:
    """Fails with the name of a field that the golden file lacks."""
    if isinstance(value, BaseModel):
        assert isinstance(body, dict)
        assert set(type(value).model_fields) == set(body), type(value).__name__
        for name in type(value).model_fields:
            names_every_field(getattr(value, name), body[name])
    elif isinstance(value, (list, tuple)):
        for one, its_body in zip(value, body, strict=True):
            names_every_field(one, its_body)


@every_kind
def test_the_golden_message_is_read_and_written_field_by_field(kind: type[Message]) -> None:
    body = golden(kind)
    message = decode(kind, as_bytes(body))
    assert json.loads(encode(message)) == body
    names_every_field(message, body)


def test_every_message_class_has_a_golden_file_and_every_file_a_class() -> None:
    assert {path.stem for path in GOLDEN.glob("*.json")} == {kind.__name__ for kind in KINDS}


@pytest.mark.parametrize(
    ("kind", "part", "union"), [(FactBatch, "facts", Fact), (WishBatch, "wishes", Command)]
)
def test_golden_batches_hold_every_kind_once(kind: type[Message], part: str, union: Any) -> None:
    known = {member.model_fields["kind"].default for member in get_args(get_args(union)[0])}
    seen = [entry["kind"] for entry in golden(kind)[part]]
    assert sorted(seen) == sorted(known)


@every_kind
def test_an_unknown_version_is_refused(kind: type[Message]) -> None:
    with pytest.raises(WireError, match=f"{kind.__name__}: v: "):
        decode(kind, as_bytes(golden(kind) | {"v": 2}))


@every_kind
def test_a_field_of_a_newer_sender_is_ignored(kind: type[Message]) -> None:
    body = golden(kind)
    assert decode(kind, as_bytes(body | {"mood": "good"})) == decode(kind, as_bytes(body))


@pytest.mark.parametrize(("kind", "part"), [(FactBatch, "facts"), (WishBatch, "wishes")])
def test_an_unknown_kind_an_empty_batch_and_too_many_entries_are_refused(
    kind: type[Message], part: str
) -> None:
    body = golden(kind)
    entry = body[part][1]
    for entries, said in (
        ([entry | {"kind": "ticket-eaten"}], f"{part}.0"),
        ([{}], f"{part}.0"),
        ([], "at least 1 item"),
        ([entry] * (BATCH + 1), "at most 100 items"),
    ):
        with pytest.raises(WireError, match=said):
            decode(kind, as_bytes(body | {part: entries}))
    assert len(getattr(decode(kind, as_bytes(body | {part: [entry] * BATCH})), part)) == BATCH


def test_an_entry_number_begins_with_1_and_a_fact_has_an_aware_time() -> None:
    body = golden(FactBatch)
    with pytest.raises(WireError, match="first"):
        decode(FactBatch, as_bytes(body | {"first": 0}))
    naive = body["facts"][1] | {"at": "2026-11-23T09:30:00"}
    with pytest.raises(WireError, match="timezone"):
        decode(FactBatch, as_bytes(body | {"facts": [naive]}))


def test_a_message_that_is_too_large_is_refused_unread() -> None:
    body = as_bytes({"v": 1, "stream": "s" * MAX_BYTES, "applied": 1})
    with pytest.raises(WireError, match=f"Ack of {len(body)} bytes is larger than {MAX_BYTES}"):
        decode(Ack, body)
    room = MAX_BYTES - len(as_bytes({"v": 1, "stream": "", "applied": 1}))
    assert decode(Ack, as_bytes({"v": 1, "stream": "s" * room, "applied": 1})).applied == 1


def test_an_error_names_the_place_and_not_the_value() -> None:
    body = golden(FactBatch)
    bad = body["facts"][4] | {"phone_tail": "secret tail"}
    with pytest.raises(WireError, match=r"facts\.0\.ticket-issued\.phone_tail") as caught:
        decode(FactBatch, as_bytes(body | {"facts": [bad]}))
    assert "secret" not in str(caught.value)


MALFORMED = [
    *(b"", b"null", b"[]", b"{", b'"v"', b"\xff\xfe", b"[" * 100_000),
    b'{"stream":"\\ud800","applied":1}',
    b'{"stream":"s","applied":1' + b"0" * 5_000 + b"}",
    b'{"stream":"s","applied":-1}',
    b'{"stream":"s"}',
]


@pytest.mark.parametrize("payload", MALFORMED, ids=range(len(MALFORMED)))
def test_malformed_messages_are_refused(payload: bytes) -> None:
    with pytest.raises(WireError):
        decode(Ack, payload)


@given(kind=st.sampled_from(KINDS), payload=st.binary(max_size=300))
def test_random_bytes_raise_nothing_but_a_wire_error(kind: type[Message], payload: bytes) -> None:
    reads_or_refuses(kind, payload)


@given(
    kind=st.sampled_from(KINDS),
    cut=st.integers(0, 3_000),
    inserted=st.binary(max_size=8),
    removed=st.integers(0, 4),
)
def test_damaged_bytes_of_real_messages_raise_nothing_but_a_wire_error(
    kind: type[Message], cut: int, inserted: bytes, removed: int
) -> None:
    whole = as_bytes(golden(kind))
    place = cut % len(whole)
    reads_or_refuses(kind, whole[:place] + inserted + whole[place + removed :])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@given(kind=st.sampled_from(KINDS), data=st.data(), value=JSON)
def test_real_messages_with_one_value_changed_raise_nothing_but_a_wire_error(
    kind: type[Message], data: st.DataObject, value: object
) -> None:
    body = golden(kind)
    spot, place = body, data.draw(st.sampled_from(sorted(body)))
    while isinstance(spot[place], (dict, list)) and spot[place] and data.draw(st.booleans()):
        spot = spot[place]
        place = data.draw(st.sampled_from(sorted(spot) if isinstance(spot, dict) else range(len(spot))))
    spot[place] = value
    reads_or_refuses(kind, json.dumps(body).encode())


def reads_or_refuses(kind: type[Message], payload: bytes) -> None:
    """What is read can be written; what cannot be read raises WireError, which names the message."""
    try:
        message = decode(kind, payload)
    except WireError as error:
        said = str(error)
    else:
        said = f"{kind.__name__} {encode(message)!r}"
    assert said.startswith(kind.__name__)
