// A clerk's key-pad with its small screen and the four-key evaluator beside it.
import { key, keyGroup, make } from "../make.js";
import { KEYS } from "../words.js";
import { RATINGS } from "./evaluator.js";

export function drawKeypad(face, device, { press }) {
  if (!face.querySelector(".lcd")) build(face, device, press);
  const { shows } = device;
  const lcd = face.querySelector(".lcd");
  lcd.replaceChildren(
    make("span", { text: `当前 ${shows.ticket || "---"}` }),
    make("span", { text: `等候 ${shows.waiting || "-"}` }),
    make("span", { class: "typed", text: shows.digits ? `输入 ${shows.digits}` : "" }),
    make("span", { text: shows.beeps ? `蜂鸣 ${shows.beeps}` : "" }),
  );
  lcd.classList.toggle("unanswered", Boolean(shows.unanswered));
  face.querySelector(".evaluator").classList.toggle("asking", Boolean(shows.asking));
}

function build(face, device, press) {
  face.replaceChildren(
    make("p", { class: "lcd", "aria-live": "polite" }),
    make("div", { class: "digits" }, ..."1234567890".split("").map((digit) => key(device, press, digit, digit))),
    keyGroup(device, press, "按键", KEYS, { class: "keys" }),
    keyGroup(device, press, "评价器", RATINGS, { class: "evaluator" }),
  );
}
