"""docs/acl.md: who may write and read which topic, from the topic table."""

from makers.markdown import MADE, table

from hall_core.wire.topics import TOPICS, Leaf, TopicRow, topic, up_filter

__all__ = ["access_lines", "page"]


def access_lines() -> list[str]:
    """The access list of a Mosquitto broker: what each side may write and read."""
    root = up_filter().split("/+", maxsplit=1)[0]
    state = topic("controller", Leaf.CONTROLLER_STATE)
    return [
        f"pattern write {root}/%u/up/#",
        f"pattern read {root}/%u/down/#",
        f"pattern read {state}",
        "",
        "user controller",
        f"topic read {root}/+/up/#",
        f"topic write {root}/+/down/#",
        f"topic write {state}",
    ]


def page() -> str:
    """The page."""
    rows = [
        (f"`{_full_topic(r)}`", r.sender, r.qos, "yes" if r.retain else "no", f"`{r.message}`", r.about)
        for r in TOPICS
    ]
    return "\n".join(
        [
            MADE,
            "# Topics and access list · 主题与访问控制\n",
            table(["topic", "written by", "QoS", "retained", "message", "about"], rows),
            "`{agent}` is the common name of the box's certificate, or its user name. Everything a box",
            "writes lies under its own `up/`, everything it reads under its own `down/`, so these lines are",
            "the whole access list (`acl_file`) of a Mosquitto broker:\n",
            "```",
            *access_lines(),
            "```\n",
        ]
    )


def _full_topic(row: TopicRow) -> str:
    """The row's topic with `{agent}` for the box and `{document}` for a desired document."""
    if row.leaf is Leaf.CONTROLLER_STATE:
        return topic("controller", row.leaf)
    document = "document" if row.leaf is Leaf.DESIRED else ""
    made = topic("agent", row.leaf, document)
    return made.replace("/agent/", "/{agent}/").replace("/document", "/{document}")
