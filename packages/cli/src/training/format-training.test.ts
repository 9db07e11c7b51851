import type { TrainProgress, TrainResult } from "@isthmus/training";
import { describe, expect, it } from "vitest";
import {
  formatEpochs,
  formatPace,
  formatPhase,
  formatRate,
  formatSeconds,
  formatSpeed,
} from "./format-training.ts";

const progress: TrainProgress = {
  phase: "training",
  done: 0.5,
  step: 5,
  steps: 20,
  epoch: 0,
  epochs: 2,
  loss: 0.5,
  meanLoss: 0.61234,
  learningRate: 0.1,
  examplesPerSecond: 58_312,
  secondsLeft: 125,
};

describe("formatSeconds()", () => {
  it("formatSeconds() uses the unit that suits", () => {
    const cases: [number, string][] = [
      [0.2, "0 s"],
      [59.4, "59 s"],
      [59.6, "1 min 00 s"],
      [125, "2 min 05 s"],
      [3599.6, "1 h 00 min"],
      [7290, "2 h 02 min"],
      [Number.NaN, "unknown time"],
    ];
    for (const [seconds, text] of cases) expect(formatSeconds(seconds)).toBe(text);
  });
});

describe("formatRate()", () => {
  it("formatRate() shows three digits", () => {
    expect([58_312, 999.6, 12.34, 0.5].map(formatRate)).toEqual(["58,300", "1,000", "12.3", "0.500"]);
  });
});

describe("formatPace()", () => {
  it("formatPace() tells what is known", () => {
    expect(formatPace(progress)).toBe("loss 0.612, 58,300 examples/s, 2 min 05 s left");
    const unknown = { ...progress, meanLoss: Number.NaN, examplesPerSecond: Number.NaN };
    expect(formatPace(unknown)).toBe("");
    expect(formatSpeed(progress, "3 s left")).toBe("loss 0.612, 58,300 examples/s, 3 s left");
    expect([formatSpeed(undefined, "3 s left"), formatSpeed({}, "")]).toEqual(["3 s left", ""]);
    expect(formatPhase(progress)).toBe("Epoch 1 of 2");
    expect(formatPhase({ ...progress, phase: "evaluating", epoch: 1 })).toBe("Evaluating epoch 2 of 2");
  });
});

describe("formatEpochs()", () => {
  const resultOf = (epochs: TrainResult["epochs"]) => ({ epochs }) as TrainResult;

  it("formatEpochs() has columns for what there is", () => {
    const [plain, evaluated] = [
      resultOf([{ steps: 3, loss: 0.5 }]),
      resultOf([{ steps: 3, loss: 0.5, accuracy: 0.91, evaluation: { loss: 0.25, accuracy: 0.975 } }]),
    ];
    expect(formatEpochs(plain)).toBe("epoch    loss\n    1  0.5000");
    expect(formatEpochs({ ...plain, lossUnit: "squared units" })).toBe(
      "epoch  loss (squared units)\n    1                0.5000",
    );
    expect(formatEpochs(evaluated).split("\n")).toEqual([
      "epoch    loss  accuracy  eval loss  eval accuracy",
      "    1  0.5000   91.00 %     0.2500        97.50 %",
    ]);
  });

  it("formatEpochs() leaves out some of many epochs, but not the last", () => {
    const lines = formatEpochs(resultOf(Array.from({ length: 100 }, () => ({ steps: 1, loss: 1 })))).split(
      "\n",
    );
    expect(lines).toHaveLength(21);
    expect(lines.at(-1)).toMatch(/^ +100 /);
  });
});
