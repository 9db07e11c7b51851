import { UsageError } from "@isthmus/core";

/** Colours of one appearance; all are opaque CSS colours. */
interface Appearance {
  readonly background: string;
  readonly text: string;
  readonly muted: string;
  readonly grid: string;
  /** Colour of the shade at the ends of scrollable content. */
  readonly shade: string;
  /** Colours of curves, reused cyclically. */
  readonly curves: readonly string[];
}

/**
 * Colours that can be told apart with all common kinds of colour blindness, after Okabe and Ito (2008);
 * lightened for dark backgrounds so that each has a contrast of at least 3 to 1.
 */
const APPEARANCES: Readonly<Record<"light" | "dark", Appearance>> = {
  light: {
    background: "#ffffff",
    text: "#1c2024",
    muted: "#5b636b",
    grid: "#e4e7ea",
    shade: "#c2c8ce",
    curves: ["#c85200", "#0067a5", "#00805d", "#a8487e", "#7a6200", "#4b5560", "#4a1f9e", "#7d0f1c"],
  },
  dark: {
    background: "#171b1f",
    text: "#e8eaed",
    muted: "#9ba4ad",
    grid: "#2c3339",
    shade: "#4a545e",
    curves: ["#ff9350", "#64b9f4", "#3ccba0", "#e89bc4", "#dcbf45", "#b3bcc5", "#a78bfa", "#ff6b6b"],
  },
};

/** Number of different colours and symbols of curves. */
export const CURVE_STYLES = 8;

/** Symbols of curves, one for each colour, so that curves differ without colour. */
export const CURVE_SYMBOLS = [
  "circle",
  "square",
  "triangle",
  "diamond",
  "star",
  "times",
  "plus",
  "hexagon",
] as const;

/** Appearance of one of several curves. */
export interface CurveStyle {
  /** CSS value of the colour, a variable of the figure's style sheet. */
  readonly color: string;
  /** Symbol of the points, by its name in Observable Plot. */
  readonly symbol: (typeof CURVE_SYMBOLS)[number];
}

/**
 * Returns the style of a curve by its index; from {@link CURVE_STYLES} on, colours are combined with other
 * symbols.
 */
export function curveStyle(index: number): CurveStyle {
  const symbol = CURVE_SYMBOLS[(index + Math.floor(index / CURVE_STYLES)) % CURVE_STYLES] ?? "circle";
  return { color: curveColor(index), symbol };
}

/** Returns the CSS value of a curve's colour. */
export function curveColor(index: number): string {
  return `var(--isthmus-curve-${index % CURVE_STYLES})`;
}

/** Lists the colours of an appearance by the names of their variables. */
function namedColors({ curves, ...named }: Appearance): ReadonlyMap<string, string> {
  const numbered = curves.map((color, index) => [`curve-${index}`, color] as const);
  return new Map([...Object.entries(named), ...numbered]);
}

function declarations(appearance: Appearance): string {
  return [...namedColors(appearance)].map(([name, color]) => `--isthmus-${name}:${color}`).join(";");
}

/** Name of an appearance of a figure. */
export type Theme = "light" | "dark";

/** Lists the names of all appearances. */
const THEMES: readonly Theme[] = ["light", "dark"];

/**
 * Checks the appearance that a caller asked for.
 * @throws UsageError if there is no appearance of that name
 */
export function assertTheme(theme: Theme): void {
  if (THEMES.includes(theme)) return;
  throw new UsageError(
    `Cannot draw a figure as its theme must be ${THEMES.join(" or ")}: it is ${JSON.stringify(theme)}`,
  );
}

/** Matches the CSS variable of any colour of the palette. */
const VARIABLE = /var\(--isthmus-([\w-]+)\)/g;

/**
 * Replaces colour variables, and `currentColor`, in an attribute of a figure by their colours in an
 * appearance.
 */
export function withLiteralColors(value: string, theme: Theme): string {
  const colors = namedColors(APPEARANCES[theme]);
  const literal = value.replace(VARIABLE, (variable, name: string) => colors.get(name) ?? variable);
  return literal.replaceAll("currentColor", APPEARANCES[theme].text);
}

/**
 * Defines the colours of a page in CSS; its attribute `data-theme`, `light` or `dark`, overrides the reader's
 * preference.
 */
export function pagePaletteCss(): string {
  const light = `:root{color-scheme:light;${declarations(APPEARANCES.light)}}`;
  const dark = `color-scheme:dark;${declarations(APPEARANCES.dark)}`;
  return `${light}@media screen{:root[data-theme=dark]{${dark}}}@media screen and (prefers-color-scheme:dark){:root:not([data-theme=light]){${dark}}}`;
}
