// A panel of light-emitting dots: text as a card of sixteen rows shows it, dot by dot.
const ROWS = 16;
const LEAST_COLUMNS = 64;
const PITCH = 6;
const FONT = `15px "Noto Sans CJK SC", "Noto Sans SC", "Microsoft YaHei", sans-serif`;
const COLOURS = { red: "#ff3b2f", green: "#35e06b", yellow: "#ffc531" };
const UNLIT = "#1d1f21";
// how much of a dot a stroke must cover to light it
const COVER = 80;

/** Draw lines of [colour, text] parts on the canvas; `level` 0..1 is how bright they are. */
export function drawDots(canvas, lines, level) {
  const told = JSON.stringify([lines, level]);
  if (canvas.dataset.told === told) return;
  canvas.dataset.told = told;
  const grid = raster(lines);
  canvas.width = grid.columns * PITCH;
  canvas.height = grid.rows * PITCH;
  const pen = canvas.getContext("2d");
  for (let row = 0; row < grid.rows; row += 1) {
    for (let column = 0; column < grid.columns; column += 1) {
      const lit = grid.lit[row * grid.columns + column];
      pen.globalAlpha = lit ? level : 1;
      pen.fillStyle = lit || UNLIT;
      pen.beginPath();
      pen.arc((column + 0.5) * PITCH, (row + 0.5) * PITCH, PITCH * (lit ? 0.46 : 0.3), 0, 2 * Math.PI);
      pen.fill();
    }
  }
}

/** Which colour each dot has; undefined for those that are dark. */
function raster(lines) {
  const pad = document.createElement("canvas");
  const pen = pad.getContext("2d", { willReadFrequently: true });
  pen.font = FONT;
  const widths = lines.map((parts) => parts.reduce((sum, [, text]) => sum + Math.ceil(pen.measureText(text).width), 0));
  const columns = Math.max(LEAST_COLUMNS, ...widths.map((width) => width + 4));
  const rows = ROWS * Math.max(1, lines.length);
  const lit = [];
  lines.forEach((parts, line) => {
    let left = Math.floor((columns - widths[line]) / 2);
    for (const [colour, text] of parts) {
      const width = Math.ceil(pen.measureText(text).width);
      if (!width) continue;
      pad.width = width;
      pad.height = ROWS;
      Object.assign(pen, { font: FONT, fillStyle: "#fff", textBaseline: "middle" });
      pen.fillText(text, 0, ROWS / 2 + 0.5);
      const { data } = pen.getImageData(0, 0, width, ROWS);
      for (let i = 0; i < width * ROWS; i += 1) {
        if (data[i * 4 + 3] < COVER) continue;
        const column = left + (i % width);
        lit[(line * ROWS + Math.floor(i / width)) * columns + column] = COLOURS[colour] ?? COLOURS.red;
      }
      left += width;
    }
  });
  return { rows, columns, lit };
}
