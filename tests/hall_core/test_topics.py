"""The topic table: every topic goes there and back, foreign ones are refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hall_core.errors import WireError
from hall_core.wire.topics import TOPICS, Leaf, agent_of, topic, up_filter

AGENTS = st.from_regex(r"[a-z0-9-]{3,32}", fullmatch=True)
OF_AGENTS = [row.leaf for row in TOPICS if row.leaf not in (Leaf.DESIRED, Leaf.CONTROLLER_STATE)]


@given(agent=AGENTS, leaf=st.sampled_from(OF_AGENTS))
def test_an_agents_topic_goes_there_and_back(agent: str, leaf: Leaf) -> None:
    assert topic(agent, leaf) == f"qh/1/{agent}/{leaf.value}"
    assert agent_of(topic(agent, leaf)) == (agent, leaf)


@given(agent=AGENTS, document=st.from_regex(r"[a-z]{1,12}", fullmatch=True))
def test_a_desired_document_goes_there_and_back(agent: str, document: str) -> None:
    full = topic(agent, Leaf.DESIRED, document)
    assert full == f"qh/1/{agent}/down/desired/{document}"
    assert agent_of(full) == (agent, Leaf.DESIRED)


def test_the_controllers_state_has_a_topic_of_its_own() -> None:
    full = topic("controller", Leaf.CONTROLLER_STATE)
    assert full == "qh/1/controller/state"
    assert agent_of(full) == ("controller", Leaf.CONTROLLER_STATE)


@pytest.mark.parametrize(
    "full",
    [
        "",
        "qh/1/pingfang-1",
        "qh/1/pingfang-1/up",
        "qh/1/pingfang-1/up/gossip",
        "qh/1/pingfang-1/up/facts/more",
        "qh/1/pingfang-1/state",
        "qh/2/pingfang-1/up/facts",
        "hall/1/pingfang-1/up/facts",
        "/qh/1/pingfang-1/up/facts",
        "qh/1/pingfang-1/up/facts/",
        "qh/1/Pingfang-1/up/facts",
        "qh/1/pf/up/facts",
        "qh/1/+/up/facts",
        "qh/1/pingfang-1/up/+",
        "$SYS/broker/uptime",
    ],
)
def test_a_foreign_topic_is_refused(full: str) -> None:
    with pytest.raises(WireError, match="not in the table"):
        agent_of(full)


@given(st.text(max_size=60))
def test_whatever_the_topic_nothing_but_a_wire_error_is_raised(full: str) -> None:
    try:
        agent, leaf = agent_of(full)
    except WireError:
        return
    assert full == topic(agent, leaf)


@pytest.mark.parametrize("agent", ["", "pf", "Pingfang", "a/b", "a+b", "#", "平房", "a" * 33, "abc\n"])
def test_a_name_that_does_not_stand_alone_on_its_level_is_refused(agent: str) -> None:
    with pytest.raises(WireError, match="3 to 32"):
        topic(agent, Leaf.BIRTH)


def test_every_leaf_has_one_row_and_stands_on_its_senders_side() -> None:
    assert sorted(row.leaf for row in TOPICS) == sorted(Leaf)
    for row in TOPICS:
        side = row.leaf.value.split("/")[0]
        assert side == {"agent": "up", "controller": "down"}[row.sender] or row.leaf is Leaf.CONTROLLER_STATE


def test_streams_use_qos_1_and_are_never_retained() -> None:
    streams = {Leaf.FACTS, Leaf.WISHES, Leaf.FACT_ACK, Leaf.WISH_ACK}
    assert all((row.qos, row.retain) == (1, False) for row in TOPICS if row.leaf in streams)


def test_one_subscription_hears_what_agents_write_and_nothing_else() -> None:
    pattern = up_filter().split("/")
    for row in TOPICS:
        name = "controller" if row.leaf is Leaf.CONTROLLER_STATE else "pingfang-1"
        parts = topic(name, row.leaf, "site" if row.leaf is Leaf.DESIRED else "").split("/")
        heard = len(parts) == len(pattern) and all(
            p in ("+", part) for p, part in zip(pattern, parts, strict=True)
        )
        assert heard == (row.sender == "agent")
