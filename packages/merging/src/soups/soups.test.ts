import { type Checkpoint, createCheckpoint, createTensor } from "@isthmus/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { greedySoup } from "./greedy-soup.ts";
import { soceWeights } from "./soce-weights.ts";

const network = (x: number): Checkpoint =>
  createCheckpoint({ w: createTensor("f64", [1], Float64Array.of(x)) }, {}, `network ${x}`);
const weightOf = async (checkpoint: Checkpoint) => Number((await checkpoint.read("w")).data[0]);
const nearTo = (goal: number) => async (checkpoint: Checkpoint) =>
  -Math.abs((await weightOf(checkpoint)) - goal);

describe("greedySoup()", () => {
  test("adds networks from the best on, while the average is no worse", async () => {
    const progress: number[] = [];
    const result = await greedySoup([9, 1, 4, 2].map(network), nearTo(2.5), {
      onProgress: ({ done }) => progress.push(done),
    });
    expect(result.scores).toEqual([-6.5, -1.5, -1.5, -0.5]);
    expect(result.members).toEqual([3, 2]);
    expect(result.steps).toEqual([
      { network: 1, score: -1, isAdded: false },
      { network: 2, score: -0.5, isAdded: true },
      { network: 0, score: -2.5, isAdded: false },
    ]);
    expect(await weightOf(result.soup)).toBe(3);
    expect(progress).toEqual([1, 2, 3, 4, 5, 6, 7].map((k) => k / 7));
  });

  test("is never worse than the best network", () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: -20, max: 20 }), { minLength: 1, maxLength: 6 }),
        fc.integer({ min: -20, max: 20 }),
        async (values, goal) => {
          const { soup, score, scores, members } = await greedySoup(values.map(network), nearTo(goal));
          expect(score).toBeGreaterThanOrEqual(Math.max(...scores));
          expect(await nearTo(goal)(soup)).toBe(score);
          expect(new Set(members).size).toBe(members.length);
        },
      ),
    ));

  test("refuses no networks, and scores that are no numbers; stops when asked", async () => {
    await expect(greedySoup([], () => 0)).rejects.toThrow("needs a network: got none");
    await expect(greedySoup([network(1)], () => Number.NaN)).rejects.toThrow('soup of "network 1"');
    const controller = new AbortController();
    const stop = () => {
      controller.abort();
      return 1;
    };
    await expect(greedySoup([network(1), network(2)], stop, { signal: controller.signal })).rejects.toThrow(
      /abort/i,
    );
  });
});

describe("soceWeights()", () => {
  test("takes experts of weakly correlated categories and searches their weights", async () => {
    // Categories 0 and 1 rise together, 2 is a matter of its own, and so none of 0 and 1 is alone.
    const scores = [
      [1, 1.1, 5],
      [2, 2.1, 9],
      [3, 2.9, 4],
    ];
    const tried: (readonly number[])[] = [];
    const judge = (weights: readonly number[]) => {
      tried.push(weights);
      return -Math.abs((weights[1] ?? 0) - 0.5);
    };
    expect(await soceWeights(scores, judge, { step: 0.5 })).toEqual({
      ...{ categories: [2], experts: [1] },
      ...{ weights: [0, 1, 0], score: -0.5 },
    });
    const all = await soceWeights(scores, judge, { threshold: 1, step: 0.5 });
    expect(all.experts).toEqual([2, 1]);
    expect(all.weights).toEqual([0, 0.5, 0.5]);
    expect(tried).toHaveLength(4);
    for (const weights of tried) expect(weights.reduce((sum, w) => sum + w)).toBe(1);
  });

  test("falls back on the best mean, and refuses tables with holes", async () => {
    const together = [
      [1, 2],
      [3, 4],
    ];
    expect((await soceWeights(together, () => 0)).weights).toEqual([0, 1]);
    await expect(soceWeights([[1, 2], [3]], () => 0)).rejects.toThrow("network 1 has 3");
    await expect(soceWeights([], () => 0)).rejects.toThrow("a network and a category");
    await expect(soceWeights(together, () => 0, { step: 0.3 })).rejects.toThrow('"step" must be 1 divided');
    await expect(soceWeights(together, () => 0, { threshold: 2 })).rejects.toThrow('"threshold" must be in');
  });
});
