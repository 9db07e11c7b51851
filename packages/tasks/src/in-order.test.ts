import { setTimeout } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { forEachOf, inOrder } from "./in-order.ts";

describe("inOrder()", () => {
  it("yields results in order, whatever takes how long, with few under way", async () => {
    const pauses = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(pauses, fc.integer({ min: 1, max: 4 }), async (milliseconds, limit) => {
        let underWay = 0;
        let most = 0;
        const results: number[] = [];
        const run = async (index: number): Promise<number> => {
          most = Math.max(most, ++underWay);
          await setTimeout(milliseconds[index]);
          underWay--;
          return index;
        };
        for await (const result of inOrder(milliseconds.length, limit, run)) results.push(result);
        expect(results).toEqual(milliseconds.map((_, index) => index));
        expect(most).toBeLessThanOrEqual(limit);
        expect(most).toBe(Math.min(limit, milliseconds.length));
      }),
      { numRuns: 40 },
    );
  });

  it("fails with the first failure in order, once all that is under way has ended", async () => {
    const ended: number[] = [];
    const run = async (index: number): Promise<void> => {
      await setTimeout(index === 0 ? 20 : 1);
      ended.push(index);
      if (index < 2) throw new TypeError(`failure ${index}`);
      await setTimeout(40);
      ended.push(index);
    };
    await expect(forEachOf([0, 1, 2, 3, 4], 3, run)).rejects.toThrow("failure 0");
    expect(ended).toEqual([1, 2, 0, 2]);
  });
});
