import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { groupPairs } from "./group-pairs.ts";

const allPairs = (n: number) =>
  Array.from({ length: n }, (_, a) =>
    Array.from({ length: n - a - 1 }, (_, i) => [a, a + 1 + i] as const),
  ).flat();

const maps = fc.record({
  networks: fc.integer({ min: 2, max: 40 }),
  work: fc.double({ min: 1, max: 1e12, noNaN: true }),
  missing: fc.integer({ min: 1, max: 7 }),
});

describe("groupPairs()", () => {
  it("groupPairs() has every pair once, and leaves work for many machines", () => {
    fc.assert(
      fc.property(maps, ({ networks, work }) => {
        const pairs = allPairs(networks);
        const groups = groupPairs(pairs, networks, work);
        expect(groups.flat().sort((a, b) => a - b)).toEqual(pairs.map((_, i) => i));
        expect(groups.length).toBeGreaterThanOrEqual(Math.min(16, pairs.length));
      }),
    );
  });

  it("groupPairs() puts pairs together that were together before some were finished", () => {
    fc.assert(
      fc.property(maps, ({ networks, work, missing }) => {
        const pairs = allPairs(networks);
        const whole = groupPairs(pairs, networks, work).map((group) => group.map((i) => String(pairs[i])));
        const left = pairs.filter((_, i) => i % 7 < missing);
        for (const group of groupPairs(left, networks, work)) {
          const names = group.map((i) => String(left[i]));
          const same = whole.find((before) => before.includes(String(names[0])));
          expect(same).toEqual(expect.arrayContaining(names));
        }
      }),
    );
  });

  it("groupPairs() measures pairs one by one that take long", () => {
    expect(groupPairs(allPairs(30), 30, 1e12)).toHaveLength(435);
  });
});
