// Which drawing a device has: by its family where that says more than the kind, else by its kind.
import { drawAnything } from "./drawings/anything.js";
import { drawBoard } from "./drawings/board.js";
import { drawCabinet } from "./drawings/cabinet.js";
import { drawCardReader } from "./drawings/card_reader.js";
import { drawDisplay } from "./drawings/display.js";
import { drawEvaluator } from "./drawings/evaluator.js";
import { drawIoModule } from "./drawings/io_module.js";
import { drawKeypad } from "./drawings/keypad.js";
import { drawLamp } from "./drawings/lamp.js";
import { drawModem } from "./drawings/modem.js";
import { drawPage } from "./drawings/page.js";
import { drawPager } from "./drawings/pager.js";
import { drawPrinter } from "./drawings/printer.js";
import { drawSatellite } from "./drawings/satellite.js";
import { drawStrip } from "./drawings/strip.js";
import { drawTablet } from "./drawings/tablet.js";

const FAMILIES = { screen_web: { shape: "page", draw: drawPage }, huidu_sdk: { shape: "board", draw: drawBoard },
  satellite: { shape: "satellite", draw: drawSatellite } };
const KINDS = {
  strip: { shape: "strip", draw: drawStrip },
  keypad: { shape: "keypad", draw: drawKeypad },
  printer: { shape: "printer", draw: drawPrinter },
  screen: { shape: "display", draw: drawDisplay },
  projector: { shape: "display projector", draw: drawDisplay },
  pager: { shape: "pagers", draw: drawPager },
  evaluator: { shape: "tablet", draw: drawTablet },
  modem: { shape: "modem", draw: drawModem },
  "card-reader": { shape: "card-reader", draw: drawCardReader },
  light: { shape: "lamp-post", draw: drawLamp },
  sign: { shape: "lamp-post", draw: drawLamp },
  "h24-terminal": { shape: "cabinet", draw: drawCabinet },
  "io-module": { shape: "io-module", draw: drawIoModule },
};
/** Where neither family nor kind alone says it. */
const BOTH = { "keypad_ff68 evaluator": { shape: "keypad", draw: drawEvaluator } };
const ANYTHING = { shape: "anything", draw: drawAnything };

/** {shape, draw}: the class of the face, and draw(face, device, {base, press, calls}) which may be called again. */
export function drawingOf(device) {
  return BOTH[`${device.family} ${device.kind}`] ?? FAMILIES[device.family] ?? KINDS[device.kind] ?? ANYTHING;
}
