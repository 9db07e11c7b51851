import { describe, expect, it } from "vitest";
import { createStepPace } from "./train-progress.ts";

describe("createStepPace()", () => {
  it("createStepPace() measures the recent time of a step, pauses left out", () => {
    let now = 0;
    const pace = createStepPace(() => now);
    expect(pace.secondsPerStep()).toBeNaN();
    const steps = (count: number, ms: number) => {
      for (let i = 0; i < count; i++) {
        now += ms;
        pace.tick();
      }
    };
    steps(1, 50);
    expect(pace.secondsPerStep()).toBeCloseTo(0.05, 12);
    steps(100, 50);
    expect(pace.secondsPerStep()).toBeCloseTo(0.05, 12);
    now += 60_000;
    pace.restart();
    steps(10, 50);
    expect(pace.secondsPerStep()).toBeCloseTo(0.05, 12);
    // What is half a minute old no longer counts.
    steps(3000, 10);
    expect(pace.secondsPerStep()).toBeCloseTo(0.01, 4);
  });
});
