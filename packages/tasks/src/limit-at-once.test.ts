import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { limitAtOnce } from "./limit-at-once.ts";

describe("limitAtOnce()", () => {
  it("runs as many functions as it may, in order, also after some fail", async () => {
    const atOnce = limitAtOnce(2);
    const began: number[] = [];
    let running = 0;
    let most = 0;
    const outcomes = await Promise.allSettled(
      [0, 1, 2, 3, 4, 5].map((index) =>
        atOnce(async () => {
          began.push(index);
          most = Math.max(most, ++running);
          await setImmediate();
          running--;
          if (index % 2 === 0) throw new TypeError(`${index}`);
          return index;
        }),
      ),
    );
    expect(outcomes.map(({ status }) => status)).toEqual(
      [0, 1, 2, 3, 4, 5].map((index) => (index % 2 === 0 ? "rejected" : "fulfilled")),
    );
    expect({ began, most }).toEqual({ began: [0, 1, 2, 3, 4, 5], most: 2 });
  });
});
