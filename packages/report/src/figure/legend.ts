import type { Markish } from "@observablehq/plot";
import type { Plot } from "./figure.ts";
import type { CurveStyle } from "./palette.ts";

/** Where one entry of a legend goes, in pixels from the top left of the frame; y is negative. */
export interface LegendItem {
  readonly text: string;
  readonly x: number;
  readonly y: number;
}

const ROW_HEIGHT = 20;
const SWATCH_WIDTH = 17;
const GAP = 22;
/** Mean advance of a character of 12 px system fonts, a little generous: nothing here can measure text. */
const CHARACTER_WIDTH = 7;

/** Estimates the width of text in a figure, in pixels. */
export function textWidth(text: string): number {
  return text.length * CHARACTER_WIDTH;
}

/** Shortens text to `width` pixels by leaving out its middle, as names differ at their ends. */
export function fitText(text: string, width: number): string {
  const characters = Math.max(3, Math.floor(width / CHARACTER_WIDTH));
  if (text.length <= characters) return text;
  const remaining = characters - 1;
  return `${text.slice(0, Math.ceil(remaining / 2))}…${text.slice(text.length - Math.floor(remaining / 2))}`;
}

/** Sets entries in rows above a frame of `width` pixels, in order. */
export function layOutLegend(
  texts: readonly string[],
  width: number,
): { readonly items: readonly LegendItem[]; readonly height: number } {
  const places: { text: string; x: number; row: number }[] = [];
  let x = 0;
  let row = 0;
  for (const whole of texts) {
    const text = fitText(whole, width - SWATCH_WIDTH);
    const extent = SWATCH_WIDTH + textWidth(text);
    if (x > 0 && x + extent > width) {
      x = 0;
      row++;
    }
    places.push({ text, x, row });
    x += extent + GAP;
  }
  const height = (row + 1) * ROW_HEIGHT;
  return {
    items: places.map((place) => ({ text: place.text, x: place.x, y: place.row * ROW_HEIGHT - height + 4 })),
    height,
  };
}

/** Makes the marks of an entry: the symbol of its curve and its text. */
export function legendMarks(
  plot: Plot,
  { color, symbol, filled = false }: CurveStyle & { readonly filled?: boolean },
  item: LegendItem | undefined,
): Markish[] {
  if (!item) return [];
  // Once over the whole figure, not in each of its rows.
  const anchor = { frameAnchor: "top-left", facet: "super" } as const;
  const swatch = {
    stroke: color,
    strokeWidth: 1.75,
    fill: filled ? color : "var(--isthmus-background)",
    symbol,
    r: 3.5,
  };
  return [
    plot.dot([0], { ...anchor, ...swatch, dx: item.x + 6, dy: item.y }),
    plot.text([item.text], {
      ...anchor,
      dx: item.x + 17,
      dy: item.y,
      textAnchor: "start",
      lineAnchor: "middle",
    }),
  ];
}
