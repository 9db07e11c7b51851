import { at } from "@isthmus/core";
import type { ColorScale } from "@isthmus/findings";
import { mixColors, rampColor } from "./ramp.ts";

/**
 * Colours of values near zero, far below zero and far above: ends of a colour map that the colour-blind can
 * read (after ColorBrewer's RdBu, Brewer 2003).
 */
const NEUTRAL = "#f0f0f0";
const BELOW = ["#92c5de", "#4393c3", "#2166ac", "#053061"] as const;
const ABOVE = ["#f4a582", "#d6604d", "#b2182b", "#67001f"] as const;

/** Lists the colours of the bands of a scale, one more than its levels, as `#rrggbb`. */
export function bandColors({ levels, colors }: ColorScale): string[] {
  if (colors === "sequential") {
    const last = levels.length;
    return Array.from({ length: last + 1 }, (_, band) => rampColor(last === 0 ? 0.5 : band / last));
  }
  const side = levels.length / 2;
  return [...sideColors(BELOW, side).toReversed(), NEUTRAL, ...sideColors(ABOVE, side)];
}

/** Spreads the colours of a side over its bands, from the one next to zero. */
function sideColors(colors: readonly string[], bands: number): string[] {
  return Array.from({ length: bands }, (_, band) => {
    const place = bands === 1 ? 1 : (band / (bands - 1)) * (colors.length - 1);
    const from = at(colors, Math.floor(place), "colour");
    return mixColors(from, at(colors, Math.ceil(place), "colour"), place - Math.floor(place));
  });
}

/** Makes the function from a value to the colour of the band that it falls into. */
export function painter(scale: ColorScale): (value: number) => string {
  const colors = bandColors(scale);
  return (value) => at(colors, scale.levels.filter((level) => level <= value).length, "colour");
}
