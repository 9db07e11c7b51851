import { PickleRecord } from "./pickle-record.ts";
import { PickleDict, PickleTuple } from "./values.ts";

/** Returns the value under some keys, each in the dictionary or object of the key before. */
export function lookInto(value: unknown, ...keys: readonly unknown[]): unknown {
  let current = value;
  for (const key of keys) {
    if (current instanceof PickleDict) current = current.entries.get(key);
    else current = current instanceof PickleRecord ? current.get(String(key)) : undefined;
  }
  return current;
}

/** Returns the items of a list or tuple; none of any other value. */
export function itemsOf(value: unknown): readonly unknown[] {
  return value instanceof PickleTuple ? value.items : Array.isArray(value) ? value : [];
}

/** Returns the entries of a dictionary whose keys are strings; none of any other value. */
export function entriesOf(value: unknown): readonly (readonly [string, unknown])[] {
  const entries = value instanceof PickleDict ? [...value.entries] : [];
  return entries.filter((entry): entry is [string, unknown] => typeof entry[0] === "string");
}

/** Returns a count of a pickle, also one that is the value of an enumeration; undefined for other values. */
export function countOf(value: unknown): number | undefined {
  const count = value instanceof PickleRecord ? value.args[0] : value;
  return typeof count === "number" && Number.isSafeInteger(count) && count >= 0 ? count : undefined;
}

/** Returns extents that a pickle holds as a tuple or list of counts; undefined for other values. */
export function extentsOf(value: unknown, most: number): readonly number[] | undefined {
  if (!(value instanceof PickleTuple) && !Array.isArray(value)) return undefined;
  const extents = itemsOf(value)
    .slice(0, most + 1)
    .flatMap((item) => countOf(item) ?? []);
  return extents.length === itemsOf(value).length && extents.length <= most ? extents : undefined;
}
