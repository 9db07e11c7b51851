import { resolve } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sharedExamples } from "./shared-examples.ts";

describe("sharedExamples()", () => {
  it.each([
    ["mnist:test@200", "mnist:test@100", { first: 1, last: 100 }],
    ["mnist@200", "mnist:test@101..300", { first: 101, last: 200 }],
    ["mnist:test", "mnist:test@9001..10000+cue=place", { first: 9001, last: 10_000 }],
    ["npz:a.npz:train", `npz:${resolve("a.npz")}:train`, { first: 1 }],
    ["idx:a,b:test", "idx:a,b:train@5", { first: 1, last: 5 }],
    ["mnist:test@100", "mnist:test@101..200", undefined],
    ["mnist:test", "mnist:train", undefined],
    ["mnist:test", "fashion-mnist:test", undefined],
    ["npz:a.npz", "npz:b.npz", undefined],
  ])("finds what %s and %s share", (one, two, shared) => {
    expect(sharedExamples(one, two)).toEqual(shared);
    expect(sharedExamples(two, one)).toEqual(shared);
  });

  it("finds what ranges share, number by number", () => {
    const range = fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 0, max: 9 }));
    fc.assert(
      fc.property(range, range, ([a, more], [b, further]) => {
        const both = Array.from({ length: 20 }, (_, i) => i).filter(
          (i) => i >= a && i <= a + more && i >= b && i <= b + further,
        );
        const shared = sharedExamples(`mnist@${a}..${a + more}`, `mnist@${b}..${b + further}`);
        expect(shared).toEqual(both.length === 0 ? undefined : { first: both[0], last: both.at(-1) });
      }),
    );
  });
});
