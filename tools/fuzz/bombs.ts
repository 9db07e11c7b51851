/** Levels of nesting that exhaust the stack of whatever walks through them by recursion. */
const LEVELS = 200_000;

/** JSON text of arrays within arrays, far deeper than any stack. */
export const DEEP_ARRAY = "[".repeat(LEVELS) + "]".repeat(LEVELS);

/** JSON text of objects within objects, far deeper than any stack. */
export const DEEP_OBJECT = `${'{"a":'.repeat(LEVELS)}1${"}".repeat(LEVELS)}`;

/**
 * Puts something deep in the place of every value of a small JSON document, one at a time.
 * @param document - plain data
 */
export function* deepen(document: object): Generator<string> {
  yield DEEP_ARRAY;
  yield DEEP_OBJECT;
  let isObject = false;
  for (const path of pathsOf(document)) {
    isObject = !isObject;
    yield replaced(document, path, isObject ? DEEP_OBJECT : DEEP_ARRAY);
  }
}

/** Paths to the values of a document; the first entries of a list or an object stand for all. */
function* pathsOf(value: unknown, path: readonly string[] = []): Generator<readonly string[]> {
  if (path.length > 0) yield path;
  if (typeof value !== "object" || value === null || path.length > 4) return;
  for (const [key, entry] of Object.entries(value).slice(0, 4)) yield* pathsOf(entry, [...path, key]);
}

const MARK = "\u0001deep\u0001";

function replaced(document: object, path: readonly string[], deep: string): string {
  const copy = structuredClone(document) as Record<string, unknown>;
  let holder = copy;
  for (const key of path.slice(0, -1)) holder = holder[key] as Record<string, unknown>;
  holder[path.at(-1) as string] = MARK;
  return JSON.stringify(copy).replace(JSON.stringify(MARK), () => deep);
}
