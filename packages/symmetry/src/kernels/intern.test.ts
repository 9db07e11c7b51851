import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { internRows, internTuples } from "./intern.ts";

describe("internTuples()", () => {
  test("internTuples() gives equal numbers exactly to equal tuples, in order of first occurrence", () => {
    const pair = fc.tuple(fc.integer({ min: -2, max: 2 }), fc.constantFrom(0, 1, 2 ** 31 - 1, -(2 ** 31)));
    fc.assert(
      fc.property(fc.array(pair, { maxLength: 60 }), (pairs) => {
        const columns = [Int32Array.from(pairs, ([a]) => a), Int32Array.from(pairs, ([, b]) => b)];
        const { ids, count, first } = internTuples(columns, pairs.length);
        const seen: string[] = [];
        pairs.forEach((tuple, i) => {
          const key = tuple.join();
          if (!seen.includes(key)) {
            expect(first[seen.length]).toBe(i);
            seen.push(key);
          }
          expect(ids[i]).toBe(seen.indexOf(key));
        });
        expect(count).toBe(seen.length);
      }),
    );
  });

  test("internTuples() finds all tuples of no columns equal", () => {
    expect(internTuples([], 3)).toMatchObject({ count: 1, ids: Int32Array.of(0, 0, 0) });
    expect(internTuples([], 0).count).toBe(0);
  });
});

describe("internRows()", () => {
  test("internRows() compares whole rows", () => {
    const data = Int32Array.of(1, 2, 2, 1, 1, 2, 1, 2);
    expect([...internRows(data, 4, 2).ids]).toEqual([0, 1, 0, 0]);
  });
});
