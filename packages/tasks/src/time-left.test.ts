import { describe, expect, it } from "vitest";
import { createTimeLeft } from "./time-left.ts";

describe("createTimeLeft()", () => {
  it("createTimeLeft() takes tasks to last as long as others of their kind, so many at once", () => {
    const timeLeft = createTimeLeft();
    expect(timeLeft.estimate([["train", 1]], 2)).toBeUndefined();
    timeLeft.add("train", 10);
    timeLeft.add("train", 30);
    timeLeft.add("align", 2);
    expect(
      timeLeft.estimate(
        [
          ["train", 1],
          ["train", 0.5],
          ["align", 1],
        ],
        2,
      ),
    ).toEqual({
      seconds: 16,
      atLeast: false,
    });
    expect(timeLeft.estimate([["align", 1]], 8)).toEqual({ seconds: 2, atLeast: false });
    expect(timeLeft.estimate([], 2)).toEqual({ seconds: 0, atLeast: false });
  });

  it("createTimeLeft() leaves out kinds of which none is done, and says so", () => {
    const timeLeft = createTimeLeft();
    timeLeft.add("train", 10);
    expect(
      timeLeft.estimate(
        [
          ["train", 1],
          ["barrier", 1],
        ],
        1,
      ),
    ).toEqual({ seconds: 10, atLeast: true });
  });
});
