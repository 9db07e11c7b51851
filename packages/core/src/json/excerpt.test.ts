import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cutText, excerpt } from "./excerpt.ts";

/** A value within `levels` arrays or objects. */
function nested(levels: number, wrap: (inner: unknown) => unknown): unknown {
  let value: unknown = 1;
  for (let level = 0; level < levels; level++) value = wrap(value);
  return value;
}

describe("excerpt()", () => {
  it("writes what is short as JSON does", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 3 }), (value) => {
        // JSON has no negative zero.
        const plain = JSON.parse(JSON.stringify(value));
        expect(excerpt(plain, 100_000)).toBe(JSON.stringify(plain));
      }),
    );
  });

  it("begins as JSON does and ends with dots where there is more", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.integer({ min: 1, max: 40 }), (value, most) => {
        const plain = JSON.parse(JSON.stringify(value));
        const whole = JSON.stringify(plain);
        const text = excerpt(plain, most);
        if (whole.length <= most) expect(text).toBe(whole);
        else expect(text.length).toBe(most + 3);
      }),
    );
  });

  it("shows what JSON does not have", () => {
    expect(excerpt([undefined, Number.NaN, Number.POSITIVE_INFINITY, 5n, () => 1])).toBe(
      "[undefined,NaN,Infinity,5,a function]",
    );
  });

  it("ends with values that are deep, long or within themselves", () => {
    expect(excerpt(nested(200_000, (inner) => [inner]))).toBe(`${"[".repeat(60)}...`);
    expect(excerpt(nested(200_000, (inner) => ({ a: inner })))).toMatch(/^(\{"a":){12}\.\.\.$/);
    expect(excerpt("x".repeat(1e6))).toBe(`"${"x".repeat(59)}...`);
    const loop: unknown[] = [];
    loop.push(loop);
    expect(excerpt(loop)).toBe(`${"[".repeat(60)}...`);
  });
});

describe("cutText()", () => {
  it("leaves a short text, and shows the beginning of a long one, again of what was cut before", () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 0, max: 20 }), (text, most) => {
        const cut = cutText(text, most);
        expect(cut).toBe(text.length <= most ? text : `${text.slice(0, most)}...`);
        expect(cutText(cut, most)).toBe(cut);
      }),
    );
  });
});
