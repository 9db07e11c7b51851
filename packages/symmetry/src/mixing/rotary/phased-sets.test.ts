import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PhasedSets } from "./phased-sets.ts";

const ELEMENTS = 8;
const element = fc.nat(ELEMENTS - 1);

describe("PhasedSets", () => {
  test("keeps every demand that agrees with numbers, and refuses every other", () => {
    const phases = fc.array(fc.nat(3), { minLength: ELEMENTS, maxLength: ELEMENTS });
    const pairs = fc.array(fc.tuple(element, element), { maxLength: 12 });
    fc.assert(
      fc.property(phases, pairs, fc.integer({ min: 1, max: 3 }), (planted, list, wrong) => {
        const sets = new PhasedSets(ELEMENTS);
        const turns = (a: number, b: number) => ((planted[b] as number) - (planted[a] as number)) & 3;
        for (const [a, b] of list) expect(sets.unite(a, b, turns(a, b))).toBe(true);
        for (let a = 0; a < ELEMENTS; a++) {
          const { root, phase } = sets.find(a);
          // The smallest element stands for its set.
          expect(root).toBeLessThanOrEqual(a);
          expect(phase).toBe(turns(root, a));
          expect(sets.find(root)).toEqual({ root, phase: 0 });
        }
        for (const [a, b] of list) expect(sets.unite(a, b, turns(a, b) + wrong)).toBe(false);
      }),
    );
  });
});
