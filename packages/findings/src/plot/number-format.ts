import { formatShort } from "../format-value.ts";

/** Format of numbers that all have the same number of decimals. */
export interface AlikeFormat {
  /** Notation: a decimal number such as `0.012`, or one with an exponent such as `1.2e-2`. */
  readonly notation: "fixed" | "exponent";
  /** Number of digits after the decimal point. */
  readonly decimals: number;
  /** Whether the 0 before the decimal point is left out, to save room. @defaultValue false */
  readonly pointFirst?: boolean;
}

/**
 * Format of the numbers of a plot: `short` with three significant digits, `exact` with all digits, `percent`
 * for shares, or with the same number of decimals each.
 */
export type NumberFormat = "short" | "exact" | "percent" | AlikeFormat;

/** Largest number of decimals of numbers that stand beside each other. */
const MOST_DECIMALS = 6;

/**
 * Makes a format of numbers that stand beside each other: all have the number of decimals that gives the
 * largest of them three significant digits, or `digits`.
 */
export function alikeFormat(values: readonly number[], digits = 3): AlikeFormat {
  const largest = Math.max(0, ...values.filter(Number.isFinite).map(Math.abs));
  const decimals = largest === 0 ? 0 : Math.max(0, digits - 1 - Math.floor(Math.log10(largest)));
  return decimals > MOST_DECIMALS ? { notation: "exponent", decimals: 1 } : { notation: "fixed", decimals };
}

/** Makes a format for cells that have little room: two significant digits, without the 0 before the point. */
export function narrowFormat(values: readonly number[]): AlikeFormat {
  return { ...alikeFormat(values, 2), pointFirst: true };
}

/** Writes a number of a plot. */
export function formatAs(value: number, format: NumberFormat): string {
  switch (format) {
    case "short":
      return formatShort(value);
    case "exact":
      return String(value);
    case "percent":
      return String(Number((100 * value).toPrecision(6)));
    default:
      return format.pointFirst
        ? formatAlike(value, format).replace(/^0(?=\.)/, "")
        : formatAlike(value, format);
  }
}

function formatAlike(value: number, { notation, decimals }: AlikeFormat): string {
  if (notation === "exponent") return value.toExponential(decimals);
  const text = value.toFixed(decimals);
  return Number(text) === 0 ? (0).toFixed(decimals) : text;
}
