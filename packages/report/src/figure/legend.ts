import { fitText, textWidth } from "@isthmus/findings";
import type { Markish } from "@observablehq/plot";
import type { PlotLibrary } from "./drawing.ts";
import type { CurveStyle } from "./palette.ts";

/** Entry of a legend above a frame, with its position in pixels. */
export interface LegendItem {
  /** Text of the entry, cut to the width of the frame. */
  readonly text: string;
  /** Distance of its left end from the left of the frame. */
  readonly x: number;
  /** Distance of its row from the top of the frame, below 0. */
  readonly y: number;
}

const ROW_HEIGHT = 20;
const SWATCH_WIDTH = 17;
const GAP = 22;
/** Arranges entries in rows above a frame of `width` pixels, in order. */
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
  plot: PlotLibrary,
  { color, symbol, filled = false }: CurveStyle & { readonly filled?: boolean },
  item: LegendItem | undefined,
): Markish[] {
  if (!item) return [];
  // The legend is drawn once over the whole figure, rather than in each of its rows.
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
