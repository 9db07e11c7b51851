import { expectTypeOf, it } from "vitest";
import type { SameShape } from "./same-shape.ts";

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
