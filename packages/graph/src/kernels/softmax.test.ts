import { describe, expect, it } from "vitest";
import { softmaxInto } from "./softmax.ts";

describe("softmaxInto()", () => {
  it("writes into other numbers what it writes in place", () => {
    const scores = Float64Array.of(1000, 999, -1e4, 0.1, 0.2, 0.3);
    const apart = softmaxInto(scores, 3, new Float64Array(6));
    expect(softmaxInto(scores, 3, scores)).toEqual(apart);
    const [first = 0, second = 0] = apart;
    expect([first / second, first + second]).toEqual([expect.closeTo(Math.E, 12), expect.closeTo(1, 12)]);
  });
});
