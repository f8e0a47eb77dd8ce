// Keys for digits: a number in a dialog, with a key to erase and one to be done.

export class DigitPad {
  digits = "";

  /** `longest` digits at most; `shown(digits)` is what people see; `complete(digits)` opens the last key. */
  constructor(dialog, { longest, shown, complete }) {
    this.dialog = dialog;
    this.longest = longest;
    this.shown = shown;
    this.complete = complete;
    dialog.addEventListener("click", (event) => this.#press(event.target.closest("button")));
    dialog.addEventListener("keydown", (event) => {
      if (/^\d$/.test(event.key)) this.#type(event.key);
      if (event.key === "Backspace") this.#erase();
    });
  }

  open(digits = "") {
    this.set(digits);
    this.dialog.showModal();
  }

  set(digits) {
    this.digits = digits;
    this.dialog.querySelector("output").textContent = this.shown(digits) || "\u00a0";
    this.dialog.querySelector("[data-key=done]").disabled = !this.complete(digits);
  }

  /** Called with the digits when the last key is pressed. */
  done() {}

  /** Called when the person wants none of it. */
  drop() {}

  #press(button) {
    if (!button) return;
    if (button.dataset.digit) this.#type(button.dataset.digit);
    if (button.dataset.key === "erase") this.#erase();
    if (button.dataset.key === "drop") this.#leave(() => this.drop());
    if (button.dataset.key === "done") this.#leave(() => this.done(this.digits));
  }

  #leave(then) {
    this.dialog.close();
    then();
  }

  #type(digit) {
    if (this.digits.length < this.longest) this.set(this.digits + digit);
  }

  #erase() {
    this.set(this.digits.slice(0, -1));
  }
}
