import { lineWidth } from "../src/figure/walk-shapes.ts";
import { digits, svg } from "./dom.ts";
import type { WalkData } from "./state.ts";

/** Largest width of a band, in pixels. */
const MOST = 46;

/** Returns the colour of a value by the levels of its scale. */
export function colorOf(levels: readonly number[], colors: readonly string[], value: number | null): string {
  if (value === null) return "var(--isthmus-muted)";
  return colors[levels.filter((level) => level <= value).length] ?? "";
}

/** Makes the legend of a scale of colours: bands with their limits, as thick as lines if it is of lines, in `room` pixels. */
export function legend(
  words: string,
  scale: WalkData["scale"],
  colors: readonly string[],
  { isLines, room }: { readonly isLines: boolean; readonly room: number },
): SVGElement {
  const { levels } = scale;
  const band = Math.min(MOST, room / colors.length);
  const bands = colors.map((fill, i) => {
    const height = isLines ? lineWidth(scale, levels[i - 1] ?? -1) : 12;
    return svg("rect", { x: band * i, y: 24 - height / 2, width: band, height, fill });
  });
  const limits = levels.map((level, i) =>
    svg("text", { x: band * (i + 1), y: 44, "text-anchor": "middle" }, digits(level)),
  );
  const width = Math.max(band * colors.length, 8 * words.length);
  const box = { class: "bands", viewBox: `0 0 ${width} 50`, width, height: 50 };
  return svg("svg", box, svg("text", { y: 11 }, words), ...bands, ...limits);
}
