import { lineWidth } from "../src/figure/walk-shapes.ts";
import { digits, svg } from "./dom.ts";
import type { WalkData } from "./state.ts";

/** Width of a band, in pixels. */
const BAND = 46;

/** Returns the colour of a value by the levels of its scale. */
export function colorOf(levels: readonly number[], colors: readonly string[], value: number | null): string {
  if (value === null) return "var(--isthmus-muted)";
  return colors[levels.filter((level) => level <= value).length] ?? "";
}

/** Makes the legend of a scale of colours: bands with their limits, as thick as lines if it is of lines. */
export function legend(
  words: string,
  scale: WalkData["scale"],
  colors: readonly string[],
  isLines: boolean,
): SVGElement {
  const { levels } = scale;
  const bands = colors.map((fill, i) => {
    const height = isLines ? lineWidth(scale, levels[i - 1] ?? -1) : 12;
    return svg("rect", { x: BAND * i, y: 24 - height / 2, width: BAND, height, fill });
  });
  const limits = levels.map((level, i) =>
    svg("text", { x: BAND * (i + 1), y: 44, "text-anchor": "middle" }, digits(level)),
  );
  const width = Math.max(BAND * colors.length, 8 * words.length);
  const box = { class: "bands", viewBox: `0 0 ${width} 50`, width, height: 50 };
  return svg("svg", box, svg("text", { y: 11 }, words), ...bands, ...limits);
}
