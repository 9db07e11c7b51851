import * as z from "zod";

/** A part of a JSON Schema, by which editors complete and check files. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** Address of the draft of JSON Schema that editors know. */
export const JSON_SCHEMA_DRAFT = "http://json-schema.org/draft-07/schema#";

/**
 * Makes the JSON Schema of the values that a file may have, without rules in code, which JSON Schema cannot
 * express.
 */
export function jsonSchemaOf(schema: z.ZodType): JsonSchema {
  const options = { target: "draft-7", io: "input", unrepresentable: "any" } as const;
  const { $schema: _, ...described } = z.toJSONSchema(schema, options);
  return described;
}

/** Smallest number of characters of a part that is worth a definition of its own. */
const SHARED_LENGTH = 160;

/** Defines each part that a JSON Schema has more than once a single time, so that its files stay small. */
export function shareParts(schema: JsonSchema): JsonSchema {
  const parts = new Map<string, CountedPart>();
  countParts(schema, parts);
  const repeated = [...parts].filter(([, { count }]) => count > 1);
  const names = new Map(repeated.map(([text], i) => [text, `part${i + 1}`]));
  const shared = repeated.map(([, { part }], i) => [`part${i + 1}`, replaceIn(part, names)]);
  const { definitions, ...rest } = replaceIn(schema, names) as JsonSchema;
  return { ...rest, definitions: { ...Object(definitions), ...Object.fromEntries(shared) } };
}

/** A part of a schema, and the number of its occurrences. */
interface CountedPart {
  readonly part: object;
  count: number;
}

/** Counts the parts below a value by their JSON. */
function countParts(value: unknown, parts: Map<string, CountedPart>): void {
  if (typeof value !== "object" || value === null) return;
  const text = textOfPart(value);
  const met = text === undefined ? undefined : parts.get(text);
  if (met !== undefined) {
    // The contents of a part that was met before are shared with it.
    met.count++;
    return;
  }
  if (text !== undefined) parts.set(text, { part: value, count: 1 });
  for (const part of Object.values(value)) countParts(part, parts);
}

/**
 * Returns the JSON of a part that may be shared, undefined for others: tables of properties are no schemas,
 * and short parts are not worth it.
 */
function textOfPart(value: object): string | undefined {
  const { type, anyOf, oneOf } = value as JsonSchema;
  if (typeof type !== "string" && !Array.isArray(anyOf) && !Array.isArray(oneOf)) return undefined;
  const text = JSON.stringify(value);
  return text.length < SHARED_LENGTH ? undefined : text;
}

/** Replaces shared parts below a value by references; the value itself is never replaced. */
function replaceIn(value: unknown, names: ReadonlyMap<string, string>): unknown {
  if (typeof value !== "object" || value === null) return value;
  const replace = (part: unknown): unknown => {
    const text = typeof part === "object" && part !== null ? textOfPart(part) : undefined;
    const name = text === undefined ? undefined : names.get(text);
    return name === undefined ? replaceIn(part, names) : { $ref: `#/definitions/${name}` };
  };
  if (Array.isArray(value)) return value.map(replace);
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, replace(part)]));
}
