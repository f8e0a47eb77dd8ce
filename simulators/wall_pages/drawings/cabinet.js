// The cabinet of a 24-hour terminal: its door, its computer, its supply and how warm it is.
import { keyGroup, make } from "../make.js";

export function drawCabinet(face, device, { press }) {
  if (!face.querySelector(".case")) {
    face.replaceChildren(
      make("div", { class: "case" }, make("p", { class: "glass" }), make("p", { class: "door" })),
      make("ul", { class: "troubles" }),
      make("p", { class: "notes" }),
      keyGroup(device, press, "动手", { door: "开关柜门" }, { class: "hands" }),
    );
  }
  const { shows } = device;
  const open = shows.door === "open";
  const glass = face.querySelector(".glass");
  glass.textContent = !shows.power ? "无电" : shows.locked ? "已锁定" : "24小时自助终端";
  glass.classList.toggle("off", !shows.power || shows.locked);
  const door = face.querySelector(".door");
  door.textContent = open ? "柜门开" : "柜门关";
  door.classList.toggle("open", open);
  const troubles = [shows.mains ? "" : "市电中断", shows.temperature > 45 ? "过热" : ""].filter(Boolean);
  face.querySelector(".troubles").replaceChildren(...troubles.map((text) => make("li", { text })));
  const supply = shows.ups ? `UPS 电池 ${shows.battery}%${shows.testing ? "（测试中）" : ""}` : "无 UPS";
  face.querySelector(".notes").textContent = [
    `${shows.temperature} °C`, supply, `重启 ${shows.restarts} 次`,
  ].join(" · ");
}
