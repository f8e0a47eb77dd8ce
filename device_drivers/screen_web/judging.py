"""What a screen's beat says of the screen: whether it shows a picture, and what is wrong with it. Pure."""

from pydantic import Field

from device_drivers.bus import Beat, NamedScreen
from device_drivers.options import Options
from hall_core.devices.vocabulary import BoardPicture

__all__ = ["ScreenOptions", "labels_of", "shows", "trouble"]


class ScreenOptions(Options):
    """What a profile of this family may say; the keys are explained in `screen.board.yaml`."""

    pages: tuple[str, ...] = Field(min_length=1)
    path: str = Field(pattern=r"^/[a-z/{}]+$")
    rows: int = Field(default=5, ge=1, le=16)
    heard_for_s: float = Field(default=11, gt=5)
    stale_s: float = Field(default=20, ge=16)
    reload_within_s: float = Field(default=900, gt=60)


def labels_of(picture: BoardPicture, rows: int) -> tuple[str, ...]:
    """The labels a board of so many rows shows for a picture, top first."""
    return tuple(row.label for row in picture.rows[:rows])


def shows(beat: Beat, labels: tuple[str, ...], rows: int) -> bool:
    """True when the board shows these labels; newer calls may stand above them already."""
    if beat.showing == labels:
        return True
    return any(
        beat.showing[newer:] == labels[: rows - newer]
        for newer in range(1, len(beat.showing))
        if labels[: rows - newer]
    )


def trouble(screen: NamedScreen, beat: Beat, options: ScreenOptions, counter: str | None) -> str:
    """Why the page is no good as it stands, and who must do what; empty when it is."""
    if screen.twins:
        return (
            f"有两个页面同时使用屏幕名 {screen.name}，请关闭多余的浏览器窗口"
            " (two pages use this name; close one of them)"
        )
    if beat.page not in options.pages:
        return (
            f"打开的是 /{beat.page} 页面，请在该屏打开 {_address(screen, options, counter)}"
            " (another page is open there)"
        )
    if beat.counter is not None and beat.counter != counter:
        return (
            f"打开的是窗口 {beat.counter} 的评价页，请在该屏打开 {_address(screen, options, counter)}"
            " (the page of another counter is open there)"
        )
    if beat.fresh in ("stale", "dark"):
        return "页面收不到大厅消息，显示可能已过时，请检查该机网络 (the page hears no news of the hall)"
    if screen.behind:
        return (
            f"页面停在第 {beat.seen_n} 条记录，显示已过时，请检查该机 (the page has fallen behind the hall)"
        )
    if screen.old_s > options.reload_within_s:
        return "页面版本过旧且未能自动更新，请在该屏手动刷新 (an old page; reload it)"
    return ""


def _address(screen: NamedScreen, options: ScreenOptions, counter: str | None) -> str:
    return f"{options.path.replace('{counter}', counter or '')}?screen={screen.name}"
