"""Evaluator tablets dial the hall: nobody listens at a tablet."""

from device_drivers.recognising import Unaskable

__all__ = ["RECOGNISER"]

RECOGNISER = Unaskable(
    "平板评价器由平板拨入本机：请在平板上填写本机地址和大厅文件中的端口"
    " (tablets dial in: set this box's address and the port of the hall file in the tablet)"
)
