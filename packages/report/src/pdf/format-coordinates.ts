/** Decimals of a coordinate: a thousandth of a pixel cannot be seen. */
const DECIMALS = 3;

/** Formats numbers for PDF, without exponents and trailing zeros, with spaces between. */
export function formatCoordinates(...values: readonly number[]): string {
  return values.map((value) => String(Number(value.toFixed(DECIMALS)))).join(" ");
}
