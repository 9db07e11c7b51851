import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LONGEST_PAUSE, pauseAfter } from "./pause-after.ts";

describe("pauseAfter()", () => {
  it("begins with the pause, doubles it, and stays within a minute", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2000 }),
        fc.integer({ min: 1, max: LONGEST_PAUSE }),
        (failures, pause) => {
          const [now, next] = [pauseAfter(failures, pause), pauseAfter(failures + 1, pause)];
          expect(pauseAfter(1, pause)).toBe(pause);
          expect(next).toBe(Math.min(2 * now, LONGEST_PAUSE));
        },
      ),
    );
  });
});
