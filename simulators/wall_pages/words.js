// Words of the hall, the same on every drawing; and faults that mean something else at one family.
export const MODES = { closed: "关闭", free: "空闲", called: "叫号", serving: "办理中", paused: "暂停" };

export const KEYS = {
  next: "顺呼", recall: "重呼", "no-show": "过号", pause: "暂停", hold: "挂起", return: "恢复", transfer: "转移",
  evaluate: "评价", cancel: "取消", "one-metre": "一米线", confirm: "确认", clear: "清除",
};

const UNHEARD = { stuck: "呼叫器收不到" };
const UNDONE = { stuck: "答应但不照做" };

/** Family -> fault -> what it is called there; other faults keep their usual words. */
export const FAMILY_FAULTS = {
  card_sam: { stuck: "不拿起也重复读", "nack:n": "读卡失败（状态 n）" },
  gsm_at: { "nack:n": "短信被拒（CMS 错误 n）", busy: "SIM 卡忙" },
  huidu_sdk: UNDONE,
  modbus_io: { stuck: "指示灯不动作" },
  pager_http: UNHEARD,
  pager_pocsag: UNHEARD,
  philips_sicp: { ...UNDONE, busy: "此刻不可用（NAV）" },
  pjlink: { ...UNDONE, "nack:n": "拒绝（ERR n）", busy: "此刻不可用（ERR3）" },
  rate_ws: { silence: "收到不确认", duplicate: "评价发两次" },
  samsung_mdc: UNDONE,
};
