import { createTensor } from "@isthmus/core";
import { createDataSet } from "@isthmus/data";
import { describe, expect, it } from "vitest";
import { judgeUntrained, shareOfLargestClass } from "./untrained-accuracy.ts";

/** Examples of which a share has class 0, the others classes 1 to 3 in turn. */
function examplesOf(size: number, share: number) {
  const labels = Int32Array.from({ length: size }, (_, i) => (i < share * size ? 0 : 1 + (i % 3)));
  return createDataSet(createTensor("f32", [size, 1], new Float32Array(size)), labels, { classes: 4 });
}

const startOf = (accuracy: number) => [{ seed: 0, accuracy, loss: 1 }];

describe("judgeUntrained()", () => {
  it("takes nothing for learned that is within chance of the most frequent class, or of the start", () => {
    const data = examplesOf(100, 0.4);
    expect(shareOfLargestClass(data)).toBeCloseTo(0.4, 12);
    // Three standard errors of 0.4 over 100 examples are 0.147.
    const judge = (full: number, start = 0.1) =>
      judgeUntrained(startOf(start), data, { full, line: 0.9 * full });
    expect(judge(0.54)).toMatchObject({ guess: 0.4, learned: false, startReaches: false });
    expect(judge(0.56)).toMatchObject({ learned: true, startReaches: false });
    expect(judge(0.56, 0.505)).toMatchObject({ learned: false, startReaches: true });
    expect(judge(0.56, 0.5).learned).toBe(false);
  });

  it("counts classes beyond what is read at once", () => {
    expect(shareOfLargestClass(examplesOf(2500, 0.6))).toBeCloseTo(0.6, 12);
  });
});
