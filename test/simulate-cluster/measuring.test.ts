import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fitCost } from "../../tools/simulate-cluster/measuring/fit-cost.ts";
import { measureTasks } from "../../tools/simulate-cluster/measuring/measure-tasks.ts";
import { netOf, workOf } from "../../tools/simulate-cluster/measuring/task-work.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "isthmus-measuring-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe("fitCost()", () => {
  it("finds what a round and a unit take, where times lie on a line", () => {
    const seconds = fc.double({ min: 0.001, max: 10, noNaN: true });
    fc.assert(
      fc.property(seconds, seconds, fc.integer({ min: 1, max: 50 }), (round, unit, rounds) => {
        const samples = [10, 10, 100].map((units) => ({
          rounds,
          units,
          seconds: rounds * (round + unit * units),
        }));
        const { perRound, perUnit, spread, count } = fitCost(samples);
        expect(perRound).toBeCloseTo(round, 6);
        expect(perUnit).toBeCloseTo(unit, 6);
        expect(spread).toBeCloseTo(0, 9);
        expect(count).toBe(3);
      }),
    );
  });

  it("takes tasks that a busy machine made longer for what they are", () => {
    const samples = [1, 1, 1, 1, 9].map((seconds) => ({ rounds: 1, units: 0, seconds }));
    expect(fitCost(samples)).toMatchObject({ perRound: 1, spread: 0 });
  });
});

describe("workOf()", () => {
  const data = { name: "mnist:train@5400" };

  it("counts examples of all epochs, epochs of stars, and examples at all places", () => {
    const work = (kind: string, options: object) => workOf({ kind, label: "", params: { data, options } });
    expect(work("train", { epochs: 3 })).toEqual({ rounds: 1, units: 16_200 });
    expect(work("star", { epochs: 60 })).toEqual({ rounds: 60, units: 5400 });
    expect(work("barrier", { points: 11 })).toEqual({ rounds: 1, units: 59_400 });
    expect(work("align", {})).toEqual({ rounds: 1, units: 0 });
    expect(() => work("merge", {})).toThrow(/must be train, star, barrier or align: it is "merge"/);
  });

  it("finds the architecture in what the task is of, or in its label", () => {
    expect(netOf({ kind: "train", label: "", params: { network: { net: "mlp:64x3" } } })).toBe("mlp:64x3");
    expect(netOf({ kind: "align", label: "align mlp:4 seed 1 to mlp:4 seed 0", params: {} })).toBe("mlp:4");
    expect(() => netOf({ kind: "align", label: "align a to b", params: {} })).toThrow(
      /"align a to b" does not/,
    );
  });
});

describe("measureTasks()", () => {
  it("reads times, work and sizes of files from folders of studies", async () => {
    for (const [key, examples, seconds] of [
      ["one", 1000, 1],
      ["two", 3000, 2],
    ] as const) {
      const task = join(folder, "tasks", key);
      mkdirSync(task, { recursive: true });
      const params = {
        network: { net: "mlp:8" },
        data: { name: `mnist:train@${examples}` },
        options: { epochs: 2 },
      };
      const result = JSON.stringify({ kind: "train", label: "train mlp:8", params, result: {} });
      writeFileSync(join(task, "result.json"), result);
      writeFileSync(join(task, "time.json"), JSON.stringify({ seconds }));
      writeFileSync(join(task, "weights-2.safetensors"), "x".repeat(99));
    }
    const { "train mlp:8": cost } = await measureTasks([{ folder, share: 0.5 }]);
    expect(cost).toMatchObject({ count: 2, files: { weights: 99 } });
    expect(cost?.perRound).toBeCloseTo(0.25, 9);
    expect(cost?.perUnit).toBeCloseTo(1 / 8000, 9);
    expect(Object.keys(cost?.files ?? {})).toEqual(["result", "weights"]);
  });
});
