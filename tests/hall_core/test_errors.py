"""What a person reads when a wish is refused."""

import json
import re
import string

import pytest

from hall_core import errors
from hall_core.errors import BadRequest, NobodyWaiting, Refused, UnknownCounter


def refusals(kind: type[Refused] = Refused) -> list[type[Refused]]:
    return [kind, *(deeper for child in kind.__subclasses__() for deeper in refusals(child))]


every_refusal = pytest.mark.parametrize("kind", refusals(), ids=lambda k: k.slug)


def fields(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}


@every_refusal
def test_a_refusal_has_a_slug_a_status_and_a_sentence_in_both_languages(kind: type[Refused]) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", kind.slug)
    assert 400 <= kind.status <= 599
    assert re.search(r"[\u4e00-\u9fff]", kind.zh)
    assert not re.search(r"[\u4e00-\u9fff]", kind.en)
    assert fields(kind.zh) <= fields(kind.en) or not fields(kind.en)


@every_refusal
def test_a_problem_is_json_with_everything_a_person_and_a_program_need(kind: type[Refused]) -> None:
    facts = dict.fromkeys(fields(kind.zh) | fields(kind.en), "x")
    facts |= {"reason": kind.slug} if "reason" in facts else {}  # who speaks for another bears its slug
    problem = json.loads(json.dumps(kind(**facts).problem()))
    assert (problem["type"], problem["status"]) == (kind.slug, kind.status)
    assert facts.items() <= problem.items()
    assert "{" not in problem["title"] + problem["detail"]


def test_no_two_refusals_share_a_slug() -> None:
    slugs = [kind.slug for kind in refusals()]
    assert sorted(slugs) == sorted(set(slugs))


def test_a_sentence_is_chinese_unless_english_is_wanted() -> None:
    error = UnknownCounter(counter="9")
    assert error.sentence() == "本厅没有窗口「9」"
    assert error.sentence("en") == str(error) == "This hall has no counter '9'"


def test_the_facts_of_a_refusal_cannot_replace_its_slug_or_status() -> None:
    problem = NobodyWaiting(type="x", status=200, title="t", detail="d").problem()
    assert (problem["type"], problem["status"]) == ("nobody-waiting", 409)
    assert problem["title"] == "目前无人等候"


def test_braces_in_what_somebody_typed_stay_as_typed() -> None:
    assert BadRequest(what="{what}").sentence() == "请求内容有误：{what}"


def test_a_device_error_is_no_refusal() -> None:
    assert not issubclass(errors.DeviceRefused, Refused)
    assert not issubclass(errors.GatewayRejected, Refused)
