/** How far numbers may be apart, relative to the larger one: engines add up in another order on other machines. */
const TOLERANCE = 1e-6;
/** Numbers below this may be differences of numbers near 1, and places roots of those, which have few digits left. */
const SMALL = 1e-2;

/**
 * Says where two values that JSON can hold differ, in their keys and the order of these, in types, texts or
 * lengths, or in numbers by more than one millionth; undefined if they are equal.
 */
export function findDifference(a: unknown, b: unknown, path = "result"): string | undefined {
  if (typeof a === "number" && typeof b === "number") {
    const scale = Math.max(Math.abs(a), Math.abs(b), SMALL);
    return Math.abs(a - b) <= TOLERANCE * scale ? undefined : `${path}: ${a}, then ${b}`;
  }
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) {
    return a === b ? undefined : `${path}: ${JSON.stringify(a)}, then ${JSON.stringify(b)}`;
  }
  const [keys, others] = [Object.keys(a), Object.keys(b)];
  if (Array.isArray(a) !== Array.isArray(b) || keys.join() !== others.join()) {
    return `${path}: keys ${keys.join(", ")}, then ${others.join(", ")}`;
  }
  const values = new Map(Object.entries(b));
  for (const [key, value] of Object.entries(a)) {
    const difference = findDifference(value, values.get(key), `${path}.${key}`);
    if (difference !== undefined) return difference;
  }
  return undefined;
}
