import fc from "fast-check";

/** Where something is in a JSON value. */
export type JsonPath = readonly (string | number)[];

const finite = fc.double({ noDefaultInfinity: true, noNaN: true });
const SAMPLES: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  null: fc.constant(null),
  boolean: fc.boolean(),
  number: fc.oneof(fc.integer(), finite),
  string: fc.string(),
  array: fc.array(fc.jsonValue({ maxDepth: 1 }), { maxLength: 2 }),
  object: fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 1 }), { maxKeys: 2 }),
};

/** Keys that objects in programs have without being told, beside keys that nothing has. */
const strangeKey = fc.oneof(
  fc.constantFrom("__proto__", "constructor", "toString", "hasOwnProperty"),
  fc.string().map((name) => `x-${name}`),
);

const typeOf = (value: unknown): string =>
  value === null ? "null" : Array.isArray(value) ? "array" : typeof value;

/** Lists the paths of everything in a JSON value, the value itself first. */
function pathsOf(value: unknown): JsonPath[] {
  if (typeof value !== "object" || value === null) return [[]];
  const steps = Array.isArray(value) ? [...value.keys()] : Object.keys(value);
  const parts = steps.flatMap((step) =>
    pathsOf((value as Readonly<Record<string | number, unknown>>)[step]).map((path) => [step, ...path]),
  );
  return [[], ...parts];
}

/** Finds the part of a JSON value at a path. */
export const valueAt = (value: unknown, path: JsonPath): unknown =>
  path.reduce<unknown>((at, step) => (at as Readonly<Record<string | number, unknown>>)[step], value);

/** Makes a JSON value in which a part is replaced. */
function replaceAt(value: unknown, [step, ...rest]: JsonPath, part: unknown): unknown {
  if (step === undefined) return part;
  if (Array.isArray(value)) return value.map((one, i) => (i === step ? replaceAt(one, rest, part) : one));
  const entries = Object.entries(value as object).map(([key, one]) => {
    return [key, key === step ? replaceAt(one, rest, part) : one];
  });
  return Object.fromEntries(entries);
}

/** A JSON value that was spoilt, and where. */
export interface SpoiltJson {
  readonly path: JsonPath;
  readonly value: unknown;
}

/** Makes values like a JSON value, of which one part, a leaf or any other, has another JSON type. */
export function withOtherType(value: unknown): fc.Arbitrary<SpoiltJson> {
  return fc.constantFrom(...pathsOf(value)).chain((path) => {
    const type = typeOf(valueAt(value, path));
    const others = Object.keys(SAMPLES).filter((other) => other !== type);
    return fc
      .constantFrom(...others)
      .chain((other) => SAMPLES[other] as fc.Arbitrary<unknown>)
      .map((part) => ({ path, value: replaceAt(value, path, part) }));
  });
}

/** Makes values like a JSON value, of which one object has a key more. */
export function withStrangeKey(value: unknown): fc.Arbitrary<SpoiltJson> {
  const objects = pathsOf(value).filter((path) => typeOf(valueAt(value, path)) === "object");
  return fc
    .tuple(fc.constantFrom(...objects), strangeKey, fc.jsonValue({ maxDepth: 1 }))
    .map(([path, key, more]) => {
      const entries = [...Object.entries(valueAt(value, path) as object), [key, more]];
      return { path: [...path, key], value: replaceAt(value, path, Object.fromEntries(entries)) };
    });
}
