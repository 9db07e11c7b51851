/** Key of objects that represent numbers which JSON lacks. */
const NUMBER = "isthmus number";

/**
 * Returns plain data in a form that JSON can represent: NaN and infinities as objects, and without undefined
 * values.
 */
export function encodePlain(value: unknown): unknown {
  if (typeof value === "number") {
    // JSON has only one zero.
    return Number.isFinite(value) ? value + 0 : { [NUMBER]: String(value) };
  }
  return mapParts(value, encodePlain);
}

/** Returns the plain data that {@link encodePlain} encoded. */
export function decodePlain(value: unknown): unknown {
  if (typeof value === "object" && value !== null && NUMBER in value) return Number(value[NUMBER]);
  return mapParts(value, decodePlain);
}

function mapParts(value: unknown, map: (part: unknown) => unknown): unknown {
  if (Array.isArray(value)) return value.map(map);
  if (typeof value !== "object" || value === null) return value;
  const parts = Object.entries(value).filter(([, part]) => part !== undefined);
  return Object.fromEntries(parts.map(([key, part]) => [key, map(part)]));
}
