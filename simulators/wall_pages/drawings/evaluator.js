// A box of four keys on the wire of the key-pads: a citizen presses one when its light asks for it.
import { keyGroup, make } from "../make.js";

export function drawEvaluator(face, device, { press }) {
  if (!face.querySelector(".evaluator")) {
    face.replaceChildren(
      make("p", { class: "lcd", "aria-live": "polite" }, make("span")),
      keyGroup(device, press, "评价", RATINGS, { class: "evaluator" }),
    );
  }
  const { shows } = device;
  face.querySelector(".lcd span").textContent = shows.asking ? "请您评价本次服务" : "欢迎光临";
  face.querySelector(".lcd").classList.toggle("unanswered", Boolean(shows.unanswered));
  face.querySelector(".evaluator").classList.toggle("asking", Boolean(shows.asking));
}

/** The four keys from the left, on a box of its own and on a key-pad. */
export const RATINGS = { "rate-1": "非常满意", "rate-2": "满意", "rate-3": "基本满意", "rate-4": "不满意" };
