// Keys for a mobile number. It is masked as typed, lives in memory only, and goes when the page goes.

import { DigitPad } from "./digit-pad.js";

/** 138****1234: the first three and the last four digits, stars between; while typing stars only. */
export function masked(digits) {
  if (digits.length <= 3) return digits;
  const hidden = "*".repeat(Math.min(digits.length, 7) - 3);
  return digits.slice(0, 3) + hidden + digits.slice(7);
}

export class PhonePad extends DigitPad {
  #label;
  #invitation;
  number = "";

  /** `changed` hears that there is a number now, or none any more. */
  constructor(dialog, label, invitation, changed = () => {}) {
    super(dialog, { longest: 11, shown: masked, complete: (digits) => /^1[3-9]\d{9}$/.test(digits) });
    this.#label = label;
    this.#invitation = invitation;
    this.changed = changed;
  }

  open() {
    super.open(this.number);
  }

  clear() {
    this.number = "";
    this.set("");
    this.#label.textContent = this.#invitation;
    this.changed();
  }

  done(digits) {
    this.number = digits;
    this.#label.textContent = masked(digits);
    this.changed();
  }

  drop() {
    this.clear();
  }
}
