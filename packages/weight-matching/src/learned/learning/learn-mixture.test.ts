import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { sampledPlace } from "./learn-mixture.ts";

const seeds = fc.integer({ min: 0, max: 1e6 });
const steps = fc.integer({ min: 1, max: 1e5 });

describe("sampledPlace()", () => {
  test("lies on the way, and depends on seed and step only", () => {
    fc.assert(
      fc.property(seeds, steps, steps, (seed, step, other) => {
        const t = sampledPlace(seed, step);
        expect(t).toBeGreaterThanOrEqual(0);
        expect(t).toBeLessThan(1);
        // What was drawn in between decides nothing.
        const between = sampledPlace(seed, other);
        expect(sampledPlace(seed, step)).toBe(t);
        if (other !== step) expect(between).not.toBe(t);
        expect(sampledPlace(seed + 1, step)).not.toBe(t);
      }),
    );
  });

  test("is even over steps", () => {
    const places = Array.from({ length: 4000 }, (_, step) => sampledPlace(7, step + 1));
    for (let tenth = 0; tenth < 10; tenth++) {
      const share = places.filter((t) => Math.floor(10 * t) === tenth).length / places.length;
      // Five standard deviations of a share of a tenth among 4,000.
      expect(Math.abs(share - 0.1)).toBeLessThan(0.024);
    }
  });
});
