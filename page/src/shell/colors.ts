/** A colour as red, green and blue, each from 0 to 255. */
export type Color = readonly [red: number, green: number, blue: number];

/** Colours that were read since the style last changed: asking the browser each time would make it lay out the page. */
const known = new Map<string, string>();

/** Returns a colour of the page's style by the name of its variable, as `#rrggbb` or `#rgb`. */
export function colorOf(name: string): string {
  const before = known.get(name);
  if (before !== undefined) return before;
  const color = getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  known.set(name, color);
  return color;
}

/** Lets all colours be read again, after a change between light and dark. */
export function forgetColors(): void {
  known.clear();
}

/** Returns the parts of a colour of the page's style. */
export function partsOf(name: string): Color {
  const digits = colorOf(name).slice(1);
  const width = digits.length / 3;
  const part = (i: number) => {
    const text = digits.slice(i * width, (i + 1) * width);
    return Number.parseInt(width === 1 ? text + text : text, 16);
  };
  return [part(0), part(1), part(2)];
}

/** Mixes two colours to a pixel of a canvas: the first at a share of 0, the second at 1. */
export function pixelBetween(from: Color, to: Color, share: number): number {
  const mix = (i: 0 | 1 | 2) => Math.round(from[i] + (to[i] - from[i]) * share);
  // Pixels are stored as red, green, blue and opacity, the lowest byte first, on every machine that browsers run on.
  return ((255 << 24) | (mix(2) << 16) | (mix(1) << 8) | mix(0)) >>> 0;
}
