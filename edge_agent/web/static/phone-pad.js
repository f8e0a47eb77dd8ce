// Keys for a mobile number. It is masked as typed, lives in memory only, and goes when the page goes.

/** 138****1234: the first three and the last four digits, stars between; while typing stars only. */
export function masked(digits) {
  if (digits.length <= 3) return digits;
  const hidden = "*".repeat(Math.min(digits.length, 7) - 3);
  return digits.slice(0, 3) + hidden + digits.slice(7);
}

export class PhonePad {
  #dialog;
  #label;
  #invitation;
  #digits = "";
  number = "";

  constructor(dialog, label, invitation) {
    this.#dialog = dialog;
    this.#label = label;
    this.#invitation = invitation;
    dialog.addEventListener("click", (event) => this.#press(event.target.closest("button")));
    dialog.addEventListener("keydown", (event) => {
      if (/^\d$/.test(event.key)) this.#type(event.key);
      if (event.key === "Backspace") this.#erase();
    });
  }

  open() {
    this.#digits = this.number;
    this.#show();
    this.#dialog.showModal();
  }

  clear() {
    this.#digits = this.number = "";
    this.#label.textContent = this.#invitation;
    this.#show();
  }

  #press(key) {
    if (!key) return;
    if (key.dataset.digit) this.#type(key.dataset.digit);
    if (key.id === "erase") this.#erase();
    if (key.id === "phone-drop") {
      this.clear();
      this.#dialog.close();
    }
    if (key.id === "phone-done") {
      this.number = this.#digits;
      this.#label.textContent = masked(this.number);
      this.#dialog.close();
    }
  }

  #type(digit) {
    if (this.#digits.length < 11) this.#digits += digit;
    this.#show();
  }

  #erase() {
    this.#digits = this.#digits.slice(0, -1);
    this.#show();
  }

  #show() {
    this.#dialog.querySelector("output").textContent = masked(this.#digits) || "\u00a0";
    this.#dialog.querySelector("#phone-done").disabled = !/^1[3-9]\d{9}$/.test(this.#digits);
  }
}
