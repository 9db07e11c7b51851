import { type ColorScale, formatAs, type NumberFormat, textWidth } from "@isthmus/findings";
import type { Markish } from "@observablehq/plot";
import { bandColors } from "./band-colors.ts";
import { customMark } from "./custom-mark.ts";

/** Contents of {@link colorLegend}. */
export interface ColorLegend {
  /** Label above the bands, with the unit. */
  readonly label: string;
  /** Colours and their limits in values. */
  readonly scale: ColorScale;
  /** Format of the limits as text. */
  readonly format: NumberFormat;
  /** Pixels between the legend and the frame, for other marks. @defaultValue 0 */
  readonly above?: number;
}

/** Height of a legend above the frame, in pixels. */
export const COLOR_LEGEND_HEIGHT = 54;
const BAND_HEIGHT = 12;
const BAND_WIDTH = 44;

/** Makes a row of coloured bands above the frame, with the limits between them. */
export function colorLegend({ label, scale, format, above = 0 }: ColorLegend): Markish {
  const { levels, only } = scale;
  const colors = bandColors(scale);
  return customMark(({ frame, add }) => {
    const width = Math.min(BAND_WIDTH, (frame.width - frame.marginLeft - frame.marginRight) / colors.length);
    const top = frame.marginTop - above - COLOR_LEGEND_HEIGHT + 18;
    const words = { x: frame.marginLeft, y: top - 7, "text-anchor": "start", fill: "var(--isthmus-text)" };
    add("text", words, label);
    colors.forEach((color, band) => {
      const x = frame.marginLeft + band * width;
      add("rect", { x, y: top, width, height: BAND_HEIGHT, fill: color });
    });
    if (only !== undefined && levels.length === 0) {
      const beside = { x: frame.marginLeft + width + 8, y: top + BAND_HEIGHT - 2, "text-anchor": "start" };
      add("text", { ...beside, fill: "var(--isthmus-muted)" }, `${formatAs(only, format)}, all equal`);
    }
    const widest = Math.max(0, ...levels.map((level) => textWidth(formatAs(level, format)))) + 4;
    const stride = Math.ceil(widest / width);
    const below = { y: top + BAND_HEIGHT + 13, "text-anchor": "middle", fill: "var(--isthmus-muted)" };
    levels.forEach((level, index) => {
      if (index % stride === 0)
        add("text", { ...below, x: frame.marginLeft + (index + 1) * width }, formatAs(level, format));
    });
  });
}
