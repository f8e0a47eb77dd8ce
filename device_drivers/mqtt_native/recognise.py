"""Devices that announce themselves dial a broker: nobody listens at one of them."""

import re
from collections.abc import Mapping

from device_drivers.recognising import Unaskable
from device_drivers.redacting import (
    NUMBER,
    Rule,
    like,
    masked,
    masked_json,
    masked_text,
    masked_topic,
    one_of,
    under,
)

__all__ = ["RECOGNISER", "redact"]

#: longer than what stands in a model's name
_LONG_NUMBER = re.compile(r"\d{6,}")


def _numberless(text: str) -> str:
    """A model or a template, without serial numbers."""
    return _LONG_NUMBER.sub(lambda found: "0" * len(found[0]), text)


def _template(text: str) -> str:
    return "".join(masked(sign) if not sign.isascii() else sign for sign in _numberless(text))


_STATES = one_of(
    ("on", "off", "0", "1", "true", "false", "online", "offline", "available", "unavailable", "none", "")
)
_WORD = like(r"[A-Za-z_-]{1,20}|\d{1,3}")
#: keys of Home Assistant's discovery form and of its lights' states, long and short; what is not known to be
#: harmless under them is masked
_RULES: Mapping[str, Rule] = {
    **under("device dev origin o components cmps availability avty color", masked),
    **under("name unique_id uniq_id object_id obj_id identifiers ids connections cns via_device", masked),
    **under("serial_number sn suggested_area sa configuration_url cu support_url url icon ic", masked),
    **under("text value message title pattern ptrn", masked),
    **under("~ topic t command_topic cmd_t state_topic stat_t availability_topic avty_t", masked_topic),
    **under("json_attributes_topic json_attr_t brightness_command_topic bri_cmd_t", masked_topic),
    **under("brightness_state_topic bri_stat_t", masked_topic),
    **under("command_template cmd_tpl value_template val_tpl state_value_template stat_val_tpl", _template),
    **under("availability_template avty_tpl json_attributes_template json_attr_tpl", _template),
    **under("model mdl model_id mdl_id manufacturer mf sw_version sw hw_version hw", _numberless),
    **under("platform p schema mode availability_mode avty_mode device_class dev_cla", _WORD),
    **under("entity_category ent_cat effect effect_list fx_list", _WORD),
    **under("color_mode supported_color_modes sup_clrm", _WORD),
    **under("payload_available pl_avail payload_not_available pl_not_avail", _WORD),
    **under("payload_on pl_on payload_off pl_off state_on stat_on state_off stat_off", _WORD),
    "state": _STATES,
    **under("min max brightness bri brightness_scale bri_scl color_temp transition qos", NUMBER),
    **under("retain ret optimistic opt enabled_by_default en migrate_discovery r g b w c x y h s", NUMBER),
}


def redact(said: bytes) -> bytes:
    """Names, numbers and texts become their form; of a plain text only states like ON stay."""
    found = masked_json(said, _RULES)
    return masked_text(said, _STATES) if found is None else found


RECOGNISER = Unaskable(
    "自报设备由设备连接消息服务：请在大厅文件中写 mqtt://用户:口令@主机:端口/名称"
    " (it dials a broker: write mqtt://user:password@host:port/name in the hall file)"
)
