import { OutOfRangeError } from "@isthmus/core";
import type { FigureElement } from "../figure/stand-alone.ts";

/** Appearance of an element of a figure, from its own attributes or inherited from the elements around it. */
export interface FigureStyle {
  /** Opaque colour as `#rrggbb`, or `none`. */
  readonly fill: string;
  /** Opaque colour of lines as `#rrggbb`, or `none`. */
  readonly stroke: string;
  /** Opacity of fills, in `[0, 1]`. */
  readonly fillOpacity: number;
  /** Opacity of lines, in `[0, 1]`. */
  readonly strokeOpacity: number;
  /** Opacity of the element as a whole, multiplied by the opacities of the elements around it. */
  readonly opacity: number;
  /** Width of lines in pixels. */
  readonly strokeWidth: number;
  /** Lengths of dashes and gaps, in pixels; empty for a solid line. */
  readonly dashes: readonly number[];
  /** Shape of the ends of lines: `butt`, `round` or `square`. */
  readonly lineCap: string;
  /** Shape of the corners of lines: `miter`, `round` or `bevel`. */
  readonly lineJoin: string;
  /** Largest length of a mitred corner, in widths of the line. */
  readonly miterLimit: number;
  /** Font size in pixels. */
  readonly fontSize: number;
  /** Whether letters are bold, from font weight 600 on. */
  readonly bold: boolean;
  /** Part of a text that lies at its position: `start`, `middle` or `end`. */
  readonly anchor: string;
}

/** Default style of SVG. */
export const INITIAL_STYLE: Readonly<FigureStyle> = {
  fill: "#000000",
  stroke: "none",
  fillOpacity: 1,
  strokeOpacity: 1,
  opacity: 1,
  strokeWidth: 1,
  dashes: [],
  lineCap: "butt",
  lineJoin: "miter",
  miterLimit: 4,
  fontSize: 16,
  bold: false,
  anchor: "start",
};

/** Font weight from which letters are bold. */
const BOLD_FROM = 600;

/** Reads the style of an element whose surroundings have the style `inherited`. */
export function styleOf(element: FigureElement, inherited: FigureStyle): FigureStyle {
  const text = (name: string, otherwise: string) => element.getAttribute(name) ?? otherwise;
  const number = (name: string, otherwise: number) => Number(element.getAttribute(name) ?? otherwise);
  const weight = element.getAttribute("font-weight");
  const dashes = element.getAttribute("stroke-dasharray");
  return {
    fill: text("fill", inherited.fill),
    stroke: text("stroke", inherited.stroke),
    fillOpacity: number("fill-opacity", inherited.fillOpacity),
    strokeOpacity: number("stroke-opacity", inherited.strokeOpacity),
    opacity: inherited.opacity * number("opacity", 1),
    strokeWidth: number("stroke-width", inherited.strokeWidth),
    dashes: dashes === null ? inherited.dashes : parseDashes(dashes),
    lineCap: text("stroke-linecap", inherited.lineCap),
    lineJoin: text("stroke-linejoin", inherited.lineJoin),
    miterLimit: number("stroke-miterlimit", inherited.miterLimit),
    fontSize: number("font-size", inherited.fontSize),
    bold: weight === null ? inherited.bold : weight === "bold" || Number(weight) >= BOLD_FROM,
    anchor: text("text-anchor", inherited.anchor),
  };
}

function parseDashes(text: string): number[] {
  return text
    .split(/[\s,]+/)
    .map(Number)
    .filter((length) => length > 0);
}

/** Reads red, green and blue of a colour `#rrggbb`, each in `[0, 1]`. */
export function channelsOf(color: string): readonly [red: number, green: number, blue: number] {
  const hex = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(color);
  if (!hex)
    throw new OutOfRangeError(`Cannot write a figure as PDF as its colours must be #rrggbb: got "${color}"`);
  const [red, green, blue] = hex.slice(1).map((channel) => Number.parseInt(channel, 16) / 255);
  return [red ?? 0, green ?? 0, blue ?? 0];
}
