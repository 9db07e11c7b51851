import { expect, expectTypeOf, it } from "vitest";
import * as z from "zod";
import type { SameShape } from "./same-shape.ts";
import { fieldsOf, schemaOf } from "./schema-of.ts";

interface Point {
  readonly at: readonly [x: number, y: number];
  readonly label?: string;
}

it("SameShape sees through readonly and undefined, and lets the other keys of a schema pass", () => {
  expectTypeOf<
    SameShape<Point, { at: [number, number]; label?: string | undefined }>
  >().toEqualTypeOf<true>();
  expectTypeOf<
    SameShape<Point, { at: [number, number]; label?: string; [key: string]: unknown }>
  >().toEqualTypeOf<true>();
});

it("SameShape sees keys that are missing, added, optional or of another type", () => {
  expectTypeOf<SameShape<Point, { at: [number, number] }>>().toEqualTypeOf<false>();
  expectTypeOf<
    SameShape<Point, { at: [number, number]; label?: string; more?: string }>
  >().toEqualTypeOf<false>();
  expectTypeOf<SameShape<Point, { at: [number, number]; label: string }>>().toEqualTypeOf<false>();
  expectTypeOf<SameShape<Point, { at: number[]; label?: string }>>().toEqualTypeOf<false>();
  expectTypeOf<SameShape<{ a: "x" | "y" }, { a: "x" }>>().toEqualTypeOf<false>();
  expectTypeOf<SameShape<Record<string, number>, Record<string, string>>>().toEqualTypeOf<false>();
  expectTypeOf<SameShape<{ a: { b?: number } }[], { a: { b: number } }[]>>().toEqualTypeOf<false>();
});

it("schemaOf() returns a schema as it is, and lets the compiler refuse one of another type", () => {
  const at = z.tuple([z.number(), z.number()]);
  const schema = z.strictObject({ at, label: z.string().optional() });
  expect(schemaOf<Point>()(schema)).toBe(schema);
  // @ts-expect-error: a key of the type is missing
  schemaOf<Point>()(z.strictObject({ at }));
  // @ts-expect-error: the type has no such key
  schemaOf<Point>()(schema.extend({ more: z.string().optional() }));
  // @ts-expect-error: the key is not optional in the type
  schemaOf<Point>()(schema.partial());
});

it("fieldsOf() returns fields as they are, and lets the compiler refuse fields of another type", () => {
  const at = z.tuple([z.number(), z.number()]);
  const fields = { at, label: z.string().optional() };
  expect(fieldsOf<Point>()(fields)).toBe(fields);
  // @ts-expect-error: a key of the type is missing
  fieldsOf<Point>()({ at });
  // @ts-expect-error: the type has no such key
  fieldsOf<Point>()({ ...fields, more: z.string().optional() });
  // @ts-expect-error: the key is not optional in the type
  fieldsOf<Point>()({ ...fields, at: at.optional() });
  // @ts-expect-error: the type has another choice
  fieldsOf<{ readonly side: "left" | "right" }>()({ side: z.enum(["left"]) });
});
