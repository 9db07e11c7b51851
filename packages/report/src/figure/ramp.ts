/** Viridis (van der Walt and Smith, 2015): even steps of lightness, for all common kinds of colour blindness. */
const STOPS = [
  [0x44, 0x01, 0x54],
  [0x47, 0x2d, 0x7b],
  [0x3b, 0x52, 0x8b],
  [0x2c, 0x72, 0x8e],
  [0x21, 0x91, 0x8c],
  [0x28, 0xae, 0x80],
  [0x5e, 0xc9, 0x62],
  [0xad, 0xdc, 0x30],
  [0xfd, 0xe7, 0x25],
] as const;

/** Share of the ramp from which dark text is easier to read on it than light text. */
const DARK_TEXT_FROM = 0.55;

/** Colour at `share` in `[0, 1]` of a ramp from dark to light, the same in both appearances. */
export function rampColor(share: number): string {
  const place = Math.min(1, Math.max(0, share)) * (STOPS.length - 1);
  const index = Math.min(STOPS.length - 2, Math.floor(place));
  const [from, to] = [STOPS[index], STOPS[index + 1]];
  if (!from || !to) return "#000000";
  const mix = from.map((value, channel) => value + (place - index) * ((to[channel] ?? 0) - value));
  return `#${mix.map((value) => Math.round(value).toString(16).padStart(2, "0")).join("")}`;
}

/** Colour of text that can be read on {@link rampColor} of the same share. */
export function rampTextColor(share: number): string {
  return share >= DARK_TEXT_FROM ? "#14181c" : "#ffffff";
}
