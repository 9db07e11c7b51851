/** Colours of one appearance; all are opaque CSS colours. */
interface Appearance {
  readonly background: string;
  readonly text: string;
  readonly muted: string;
  readonly grid: string;
  /** One colour a curve, reused cyclically. */
  readonly curves: readonly string[];
}

/**
 * Colours that stay apart for all common kinds of colour blindness, after Okabe and Ito (2008); lightened
 * for dark backgrounds so that each has a contrast of at least 3 to 1.
 */
const APPEARANCES: Readonly<Record<"light" | "dark", Appearance>> = {
  light: {
    background: "#ffffff",
    text: "#1c2024",
    muted: "#5b636b",
    grid: "#e4e7ea",
    curves: ["#c85200", "#0067a5", "#00805d", "#a8487e", "#7a6200", "#4b5560"],
  },
  dark: {
    background: "#171b1f",
    text: "#e8eaed",
    muted: "#9ba4ad",
    grid: "#2c3339",
    curves: ["#ff9350", "#64b9f4", "#3ccba0", "#e89bc4", "#dcbf45", "#b3bcc5"],
  },
};

/** Number of colours and symbols before they repeat. */
export const CURVE_STYLES = 6;

/** Marks of curves, so that they can be told apart without colour. */
export const CURVE_SYMBOLS = ["circle", "square", "triangle", "diamond", "star", "times"] as const;

/** How one of several curves is drawn. */
export interface CurveStyle {
  readonly color: string;
  readonly symbol: (typeof CURVE_SYMBOLS)[number];
}

/** Style of the curve of an index; after {@link CURVE_STYLES} of them, colours come with other symbols. */
export function curveStyle(index: number): CurveStyle {
  const symbol = CURVE_SYMBOLS[(index + Math.floor(index / CURVE_STYLES)) % CURVE_STYLES] ?? "circle";
  return { color: curveColor(index), symbol };
}

/** CSS value of a curve's colour. */
export function curveColor(index: number): string {
  return `var(--isthmus-curve-${index % CURVE_STYLES})`;
}

function declarations({ background, text, muted, grid, curves }: Appearance): string {
  const named = { background, text, muted, grid };
  const lines = Object.entries(named).map(([name, color]) => `--isthmus-${name}:${color}`);
  curves.forEach((color, index) => void lines.push(`--isthmus-curve-${index}:${color}`));
  return lines.join(";");
}

/**
 * CSS that defines the colours on `selector`: light, and dark where the reader prefers it and is not
 * printing.
 */
export function paletteCss(selector: string, theme: "auto" | "light" | "dark" = "auto"): string {
  if (theme !== "auto") return `${selector}{color-scheme:${theme};${declarations(APPEARANCES[theme])}}`;
  const light = `${selector}{color-scheme:light dark;${declarations(APPEARANCES.light)}}`;
  const dark = `${selector}{${declarations(APPEARANCES.dark)}}`;
  return `${light}@media screen and (prefers-color-scheme:dark){${dark}}`;
}

/** The same for a page whose attribute `data-theme`, `light` or `dark`, goes before what the reader prefers. */
export function pagePaletteCss(): string {
  const light = `:root{color-scheme:light;${declarations(APPEARANCES.light)}}`;
  const dark = `color-scheme:dark;${declarations(APPEARANCES.dark)}`;
  return `${light}@media screen{:root[data-theme=dark]{${dark}}}@media screen and (prefers-color-scheme:dark){:root:not([data-theme=light]){${dark}}}`;
}
