"""A POCSAG transmitter only hears: whatever is written to it goes on the air, and nothing ever comes back."""

from device_drivers.recognising import Unaskable, unchanged

__all__ = ["RECOGNISER", "redact"]

#: numbers of pagers on a rack, labels and counters
redact = unchanged

RECOGNISER = Unaskable(
    "寻呼发射机只收不答，写入的内容都会发射出去；扫描串口前请拔下它，并按手册写入大厅文件"
    " (a transmitter never answers and sends whatever it hears: unplug it before a scan)"
)
