/** Data as JSON holds them: a list in place of each typed array. */
export type PlainData<T> = T extends ArrayBufferView
  ? readonly number[]
  : T extends object
    ? { readonly [K in keyof T]: PlainData<T[K]> }
    : T;

/**
 * Turns all typed arrays inside a value into lists: JSON would make objects of them, with a key for each
 * place. Whole numbers of 64 bits become numbers, as JSON has no others.
 */
export function plainData(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (ArrayBuffer.isView(value)) return value instanceof DataView ? value : Array.from(listOf(value), Number);
  if (Array.isArray(value)) return value.map(plainData);
  // What writes itself as JSON, such as a date, is left to that.
  if (Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, plainData(part)]));
}

/** Views an array buffer view as iterable, which all typed arrays are, but a `DataView` is not. */
const listOf = (array: ArrayBufferView): Iterable<unknown> => array as ArrayBufferView & Iterable<unknown>;
