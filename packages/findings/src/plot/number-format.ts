import { formatShort } from "../format-value.ts";

/** Numbers that have as many decimals as each other. */
export interface AlikeFormat {
  readonly notation: "fixed" | "exponent";
  readonly decimals: number;
  /** Whether the 0 before the decimal point is left out, to save room. @defaultValue false */
  readonly pointFirst?: boolean;
}

/**
 * How a plot writes its numbers: `short` with three significant digits, `exact` with all that they have,
 * `percent` as a share of 100, or with as many decimals as each other.
 */
export type NumberFormat = "short" | "exact" | "percent" | AlikeFormat;

/** Most decimals of numbers that stand beside each other. */
const MOST_DECIMALS = 6;

/**
 * Makes a format of numbers that stand beside each other: all have as many decimals as give the largest three
 * significant digits, or another number of them.
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
