"""The secret that makes a digest of ID numbers useless to whoever steals it: without one no card is read."""

from pathlib import Path

from pydantic import Field, SecretStr

from device_drivers.options import Options
from hall_core.errors import SettingsInvalid

__all__ = ["CardOptions", "pepper_of"]

SHORTEST = 16


class CardOptions(Options):
    """What a profile of this family and the hall file may say; the keys stand in `card.sam-v.yaml`."""

    poll_ms: int = Field(default=400, ge=100)
    pepper: SecretStr | None = None
    pepper_file: Path | None = None


def pepper_of(options: CardOptions, device: str) -> bytes:
    """The hall's pepper. Raises SettingsInvalid when there is none, or one that others know or can guess."""
    if options.pepper_file is not None:
        try:
            open_to_others = options.pepper_file.stat().st_mode & 0o077
            pepper = options.pepper_file.read_bytes().strip()
        except OSError as error:
            raise SettingsInvalid(
                f"设备「{device}」options.pepper_file 无法读取：{error.strerror}"
                " — 请更正路径或权限 (the file cannot be read; mend its path or rights)"
            ) from error
        if open_to_others:
            raise SettingsInvalid(
                f"设备「{device}」的密钥文件其他用户可读，请执行 chmod 600 {options.pepper_file}"
                " (the pepper may be read by others)"
            )
    elif options.pepper is not None:
        pepper = options.pepper.get_secret_value().encode()
    else:
        raise SettingsInvalid(
            f"设备「{device}」没有密钥，不能读身份证 — 请在大厅文件中设置 options.pepper_file"
            " 或 options.pepper (no pepper: name a file with a random secret before cards are read)"
        )
    if len(pepper) < SHORTEST:
        raise SettingsInvalid(
            f"设备「{device}」的密钥少于 {SHORTEST} 个字节，请换成随机的长密钥 (the pepper is too short)"
        )
    return pepper
