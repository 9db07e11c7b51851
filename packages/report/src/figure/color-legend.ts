import type { Markish } from "@observablehq/plot";
import { customMark } from "./custom-mark.ts";
import { textWidth } from "./legend.ts";
import { rampColor } from "./ramp.ts";

/** What {@link colorLegend} shows. */
export interface ColorLegend {
  /** Words above the bands, with the unit. */
  readonly label: string;
  /** Values where one band ends and the next begins, ascending. */
  readonly levels: readonly number[];
  readonly format: (value: number) => string;
}

/** Pixels above the frame that a legend takes. */
export const COLOR_LEGEND_HEIGHT = 54;
const BAND_HEIGHT = 12;
const BAND_WIDTH = 44;

/** Colour of a band of `levels + 1` bands, from the lowest. */
export function bandColor(band: number, levels: number): string {
  return rampColor(levels === 0 ? 0.5 : band / levels);
}

/** Bands of colour in a row above the frame, with the values between them. */
export function colorLegend({ label, levels, format }: ColorLegend): Markish {
  return customMark(({ frame, add }) => {
    const bands = levels.length + 1;
    const width = Math.min(BAND_WIDTH, (frame.width - frame.marginLeft - frame.marginRight) / bands);
    const top = frame.marginTop - COLOR_LEGEND_HEIGHT + 18;
    add("text", { x: frame.marginLeft, y: top - 7, fill: "var(--isthmus-text)" }, label);
    for (let band = 0; band < bands; band++) {
      const x = frame.marginLeft + band * width;
      add("rect", { x, y: top, width, height: BAND_HEIGHT, fill: bandColor(band, levels.length) });
    }
    const widest = Math.max(0, ...levels.map((level) => textWidth(format(level)))) + 4;
    const stride = Math.ceil(widest / width);
    const below = { y: top + BAND_HEIGHT + 13, "text-anchor": "middle", fill: "var(--isthmus-muted)" };
    levels.forEach((level, index) => {
      if (index % stride === 0)
        add("text", { ...below, x: frame.marginLeft + (index + 1) * width }, format(level));
    });
  });
}
