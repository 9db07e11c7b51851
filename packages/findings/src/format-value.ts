import type { Measure } from "./measure.ts";

/**
 * Writes a number as tables and labels show it: four significant digits, three below 0.1, and an exponent
 * only below 1e-4 and from 1e6.
 */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const magnitude = Math.abs(value);
  if (magnitude === 0) return "0";
  if (magnitude < 1e-4 || magnitude >= 1e6) return value.toExponential(2);
  const digits = magnitude < 0.1 ? 3 : 4;
  return value.toFixed(Math.max(0, digits - 1 - Math.floor(Math.log10(magnitude))));
}

/** Writes a number for sentences and axes: three significant digits, without needless zeros. */
export function formatShort(value: number, digits = 3): string {
  const rounded = Number(value.toPrecision(digits));
  return rounded === 0 || Math.abs(rounded) >= 1e-4 ? String(rounded) : formatNumber(value);
}

/** Writes a share as a percentage of three significant digits: `12.5 %` for 0.125. */
export function formatShare(share: number, digits = 3): string {
  return `${formatShort(100 * share, digits)} %`;
}

/** Writes a loss in nats, or an error as a percentage, the way readers of papers expect it. */
export function formatMeasure(value: number, measure: Measure): string {
  return measure === "loss" ? formatNumber(value) : `${(100 * value).toFixed(2)} %`;
}

/** Writes a difference of losses in nats, or of errors in percentage points. */
export function formatBarrier(value: number, measure: Measure): string {
  return measure === "loss" ? formatNumber(value) : `${(100 * value).toFixed(2)} points`;
}

/** Writes a place on a path, `0` to `1`, without needless zeros. */
export function formatPlace(t: number): string {
  return String(Number(t.toFixed(4)));
}

/** Writes a count with thousands separators: `10,000`. */
export function formatCount(count: number): string {
  return count.toLocaleString("en-US");
}

/** Writes a count with the noun of what is counted: `1 pair`, `3 pairs`. */
export function formatCounted(count: number, singular: string, plural = `${singular}s`): string {
  return `${formatCount(count)} ${count === 1 ? singular : plural}`;
}
