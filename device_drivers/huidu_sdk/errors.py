"""Error names of Huidu's SDK 2.0 and what they mean for people. Source: the enum of the vendor's SDK."""

from collections.abc import Mapping

__all__ = ["name_of", "sentence"]

#: a transport error carries the place in this list
_NAMES = [
    "kSuccess",
    "kWriteFinish",
    "kProcessError",
    "kVersionTooLow",
    "kDeviceOccupa",
    "kFileOccupa",
    "kReadFileExcessive",
    "kInvalidPacketLen",
    "kInvalidParam",
    "kNotSpaceToSave",
    "kCreateFileFailed",
    "kWriteFileFailed",
    "kReadFileFailed",
    "kInvalidFileData",
    "kFileContentError",
    "kOpenFileFailed",
    "kSeekFileFailed",
    "kRenameFailed",
    "kFileNotFound",
    "kFileNotFinish",
    "kXmlCmdTooLong",
    "kInvalidXmlIndex",
    "kParseXmlFailed",
    "kInvalidMethod",
    "kMemoryFailed",
    "kSystemError",
    "kUnsupportVideo",
    "kNotMediaFile",
    "kParseVideoFailed",
    "kUnsupportFrameRate",
    "kUnsupportResolution",
    "kUnsupportFormat",
    "kUnsupportDuration",
    "kDownloadFileFailed",
    "kScreenNodeIsNull",
    "kNodeExist",
    "kNodeNotExist",
    "kPluginNotExist",
    "kCheckLicenseFailed",
    "kNotFoundWifiModule",
    "kTestWifiUnsuccessful",
    "kRunningError",
    "kUnsupportMethod",
    "kInvalidGUID",
    "kFirmwareFormatError",
    "kTagNotFound",
    "kAttrNotFound",
    "kCreateTagFailed",
    "kUnsupportDeviceType",
    "kPermissionDenied",
    "kPasswdTooSimple",
    "kDelayRespond",
    "kShortlyReturn",
]

_SENTENCES: Mapping[str, str] = {
    "kVersionTooLow": "控制卡固件版本过低，请用厂家软件升级 (firmware too old)",
    "kDeviceOccupa": "控制卡正被其他软件占用，请关闭厂家软件 (occupied by another program)",
    "kInvalidPacketLen": "控制卡收到的数据长度不对 (wrong packet length)",
    "kInvalidParam": "参数无效，请检查型号档案的屏幕尺寸 (invalid parameter)",
    "kNotSpaceToSave": "控制卡存储空间已满，请用厂家软件清理 (storage full)",
    "kWriteFileFailed": "控制卡存储写入失败，可能需要更换 (storage broken)",
    "kXmlCmdTooLong": "内容过长，控制卡不接受 (too long)",
    "kInvalidXmlIndex": "控制卡收到的分段次序不对 (wrong fragment)",
    "kParseXmlFailed": "控制卡不能识别内容 (unreadable XML)",
    "kInvalidMethod": "控制卡不支持此命令 (no such method)",
    "kUnsupportMethod": "控制卡不支持此命令 (no such method)",
    "kMemoryFailed": "控制卡内存不足 (out of memory)",
    "kSystemError": "控制卡系统故障，请断电重启 (system error)",
    "kNodeNotExist": "控制卡上没有此节目 (no such program)",
    "kInvalidGUID": "会话已失效 (session is over)",
    "kTagNotFound": "内容缺少控制卡要求的标签 (tag missing)",
    "kAttrNotFound": "内容缺少控制卡要求的属性 (attribute missing)",
    "kUnsupportDeviceType": "控制卡型号不支持 (device type)",
    "kPermissionDenied": "控制卡设有密码，请用厂家软件取消 (permission denied)",
}


def name_of(code: int) -> str:
    """The enum name of a transport error."""
    return _NAMES[code] if code < len(_NAMES) else f"error {code}"


def sentence(name: str) -> str:
    """What people read; names without a sentence are given as they are."""
    return _SENTENCES.get(name, f"控制卡拒绝：{name} (refused)")
