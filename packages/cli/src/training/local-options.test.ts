import { describe, expect, it } from "vitest";
import { localOptions } from "./local-options.ts";

describe("localOptions()", () => {
  it("localOptions() asks for what flags name, and nothing else", () => {
    expect(localOptions({})).toEqual({});
    expect(localOptions({ proximal: 0 })).toEqual({ proximal: { mu: 0 } });
    expect(localOptions({ curriculum: "hard-first", pacing: "root", curriculumFull: 0.5 })).toEqual({
      curriculum: { order: "hard-first", pacing: "root", start: undefined, full: 0.5 },
    });
    expect(localOptions({ wasserstein: 2, wassersteinStepSize: 0.1 })).toEqual({
      wasserstein: { gamma: 2, steps: undefined, stepSize: 0.1 },
    });
  });

  it("localOptions() refuses flags of a flag that is missing", () => {
    expect(() => localOptions({ pacing: "step" })).toThrow(
      /belong to another option: give --curriculum ORDER, too/,
    );
    expect(() => localOptions({ curriculumStart: 0.5 })).toThrow(/--curriculum ORDER/);
    expect(() => localOptions({ wassersteinSteps: 3, proximal: 1 })).toThrow(/--wasserstein GAMMA/);
  });
});
