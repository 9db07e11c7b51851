import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as z from "zod";
import { JSON_SCHEMA_DRAFT, jsonSchemaOf, shareParts } from "./json-schema.ts";

const part = z.strictObject({
  kind: z.literal("part"),
  size: z.int().min(1).describe("how large it is, in units that take many words to explain to anybody"),
  names: z.array(z.string()).min(1).describe("names that it has in the files of other programs"),
});
const whole = z.strictObject({ type: part, second: part.optional(), all: z.array(part) });

describe("shareParts()", () => {
  it("defines what is there several times once, and the schema accepts the same values", () => {
    const schema = { $schema: JSON_SCHEMA_DRAFT, ...jsonSchemaOf(whole) };
    const shared = shareParts(schema);
    expect(JSON.stringify(shared).length).toBeLessThan(JSON.stringify(schema).length);
    expect(Object.keys(Object(shared["definitions"]))).toEqual(["part1"]);
    const reader = z.fromJSONSchema(shared as z.core.JSONSchema.JSONSchema);
    const value = fc.record({
      kind: fc.constantFrom("part", "other"),
      size: fc.integer({ min: -2, max: 6 }),
      names: fc.array(fc.string(), { maxLength: 2 }),
    });
    const check = (document: object) => {
      expect(reader.safeParse(document).success).toBe(whole.safeParse(document).success);
    };
    fc.assert(fc.property(fc.record({ type: value, all: fc.array(value, { maxLength: 2 }) }), check));
    check({ type: { kind: "part", size: 1, names: ["a"] }, all: [] });
  });
});
