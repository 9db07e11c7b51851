import { at } from "@isthmus/core";

/**
 * Viridis (van der Walt and Smith, 2015): colours with even steps of lightness, readable with all common
 * kinds of colour blindness.
 */
const STOPS = [
  "#440154",
  "#472d7b",
  "#3b528b",
  "#2c728e",
  "#21918c",
  "#28ae80",
  "#5ec962",
  "#addc30",
  "#fde725",
] as const;

/**
 * Colours of text on a coloured background, and the luminance of the background from which the dark text is
 * easier to read: both have the same contrast there.
 */
const ON_COLOR = { dark: "#14181c", light: "#ffffff", from: 0.19 } as const;

/** Mixes two colours `#rrggbb`: the first at a share of 0, the second at 1. */
export function mixColors(from: string, to: string, share: number): string {
  const ends = channelsOf(to);
  const mixed = channelsOf(from).map((value, k) => value + share * (at(ends, k, "channel") - value));
  return `#${mixed.map((value) => Math.round(value).toString(16).padStart(2, "0")).join("")}`;
}

/** Returns the colour at `share` in `[0, 1]` of a ramp from dark to light, the same in both appearances. */
export function rampColor(share: number): string {
  const place = Math.min(1, Math.max(0, share)) * (STOPS.length - 1);
  const index = Math.min(STOPS.length - 2, Math.floor(place));
  const [from = STOPS[0], to = STOPS[0]] = [STOPS[index], STOPS[index + 1]];
  return mixColors(from, to, place - index);
}

/** Returns the colour of text that is readable on a background, by the relative luminance of WCAG 2. */
export function textColorOn(color: string): string {
  const [red = 0, green = 0, blue = 0] = channelsOf(color).map((channel) => {
    const share = channel / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  const luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  return luminance >= ON_COLOR.from ? ON_COLOR.dark : ON_COLOR.light;
}

/** Reads red, green and blue of a colour `#rrggbb`, from 0 to 255. */
function channelsOf(color: string): number[] {
  return [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16));
}
