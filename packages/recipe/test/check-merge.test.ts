import { createTensor } from "@isthmus/core";
import { linear, MERGE_METHODS, type MergeMethod, type MergePlan, planMerge, slerp } from "@isthmus/merging";
import { checkMerge } from "@isthmus/recipe";
import fc from "fast-check";
import { afterEach, describe, expect, test, vi } from "vitest";
import {
  checkpointOf,
  countReads,
  fineTune,
  permuteUnits,
  plantNetwork,
  type Tensors,
} from "./planted-networks.ts";

const planOf = (...networks: readonly Tensors[]): MergePlan =>
  planMerge(
    networks.map((tensors, i) => checkpointOf(tensors, `network ${i}`)),
    { method: linear },
  );

const kindsOf = async (plan: MergePlan, options: Parameters<typeof checkMerge>[1] = {}) =>
  (await checkMerge(plan, options)).map(({ kind, severity }) => `${severity} ${kind}`);

afterEach(() => vi.restoreAllMocks());

describe("checkMerge()", () => {
  test("has nothing to say about fine-tunes of one network", () =>
    fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 1e6 }), async (seed) => {
        const start = plantNetwork(seed);
        expect(await checkMerge(planOf(fineTune(start, 1), fineTune(start, 2), fineTune(start, 3)))).toEqual(
          [],
        );
      }),
      { numRuns: 20 },
    ));

  test("warns of networks that were trained apart, unless they are aligned first", async () => {
    const plan = planOf(plantNetwork(1), plantNetwork(2));
    expect(await kindsOf(plan)).toEqual(["warning different-seed"]);
    expect(await kindsOf(plan, { aligned: true })).toEqual([]);
  });

  test("calls the mean of a network and its permuted copy an error, unless they are aligned first", async () => {
    const plan = planOf(plantNetwork(3), permuteUnits(plantNetwork(3), 1));
    expect(await kindsOf(plan)).toEqual(["error permuted-copy"]);
    expect(await kindsOf(plan, { aligned: true })).toEqual([]);
  });

  test("calls the mean of packed weights an error, wherever in the network they are", async () => {
    const codes = { "z.qweight": createTensor("i32", [4], new Int32Array(4)) };
    const many = Object.fromEntries(
      Array.from({ length: 60 }, (_, i) => [`a${i}`, createTensor("f32", [2, 2], new Float32Array(4))]),
    );
    const plan = planOf({ ...many, ...codes }, { ...many, ...codes });
    expect(await kindsOf(plan, { tensors: 4 })).toContain("error quantized");
  });

  test("does not look at tensors that are copied, as where layers of strangers are stacked", async () => {
    const [a, b] = [checkpointOf(plantNetwork(4), "a"), checkpointOf(plantNetwork(5), "b")];
    const whole = planMerge([a, b], { method: linear });
    const tensors = [...whole.tensors].map(([name, planned], i) => {
      const source = { network: i % 2, tensor: name };
      return [name, { ...planned, method: undefined, sources: [source] as const }] as const;
    });
    expect(await checkMerge({ ...whole, tensors: new Map(tensors) })).toEqual([]);
  });

  test("does not look at networks that are no part of the result", async () => {
    const [a, b] = [checkpointOf(plantNetwork(4), "a"), checkpointOf(permuteUnits(plantNetwork(4), 1), "b")];
    for (const weight of [
      [1, 0],
      [0, 1],
      [(name: string) => (name.includes("up") ? 1 : 0), (name: string) => (name.includes("up") ? 0 : 1)],
    ])
      expect(await checkMerge(planMerge([a, b], { method: linear, parameters: { weight } }))).toEqual([]);
    for (const t of [0, 1])
      expect(await checkMerge(planMerge([a, b], { method: slerp, parameters: { t } }))).toEqual([]);
    expect(await kindsOf(planMerge([a, b], { method: slerp, parameters: { t: 0.5 } }))).toEqual([
      "error permuted-copy",
    ]);
  });

  test("does not take a network for one that lacks the tensors in which its weight is 0", () =>
    fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 1e6 }), fc.array(fc.nat(2)), async (seed, shares) => {
        const start = plantNetwork(seed);
        const networks = [1, 2, 3].map((i) => checkpointOf(fineTune(start, i), `network ${i}`));
        const names = Object.keys(start);
        const shareOf = (name: string, i: number) => shares[3 * names.indexOf(name) + i] ?? 1;
        const weight = networks.map((_, i) => (name: string) => shareOf(name, i));
        const plan = planMerge(networks, {
          method: { ...linear, dividesByWeights: () => false },
          parameters: { weight },
        });
        expect((await checkMerge(plan)).map(({ kind }) => kind)).not.toContain("names");
      }),
      { numRuns: 20 },
    ));

  test("follows tensors by their names in the networks", async () => {
    const start = plantNetwork(6);
    const other = Object.fromEntries(
      Object.entries(fineTune(start, 1)).map(([name, tensor]) => [`module.${name}`, tensor]),
    );
    const [a, b] = [checkpointOf(start, "a"), checkpointOf(other, "b")];
    const tensors = [...planMerge([a, a], { method: linear }).tensors].map(([name, planned]) => {
      const sources = [
        { network: 0, tensor: name },
        { network: 1, tensor: `module.${name}` },
      ] as const;
      return [name, { ...planned, sources }] as const;
    });
    const plan = {
      ...planMerge([a], { method: linear }),
      networks: [a, b] as const,
      tensors: new Map(tensors),
    };
    expect(await checkMerge(plan)).toEqual([]);
  });

  test("says that networks do not descend from the base, by their positions in the plan", async () => {
    const start = plantNetwork(7);
    const networks = [fineTune(start, 1), fineTune(start, 2)].map((tensors, i) =>
      checkpointOf(tensors, `n${i}`),
    );
    const method = { ...linear, networks: { ...linear.networks, base: "required" as const } };
    const base = checkpointOf(plantNetwork(8), "base");
    const findings = await checkMerge(planMerge(networks, { method, base }));
    expect(findings).toMatchObject([{ kind: "base-unrelated", severity: "error", networks: [0, 1, 2] }]);
    expect(await checkMerge(planMerge(networks, { method, base: checkpointOf(start, "base") }))).toEqual([]);
  });

  test("takes a base for one that is among the merged networks, and misses one that is in none", async () => {
    const start = plantNetwork(11);
    const [base, a] = [checkpointOf(start, "base"), checkpointOf(fineTune(start, 1), "a")];
    const method = { ...linear, networks: { ...linear.networks, base: "required" as const } };
    vi.spyOn(MERGE_METHODS, "get").mockReturnValue(method as unknown as MergeMethod);
    const plan = planMerge([base, a], { method, base });
    const tensors = [...plan.tensors].map(([name, planned]) => {
      return [name, { ...planned, base: { network: 0, tensor: name } }] as const;
    });
    expect(await checkMerge({ ...plan, tensors: new Map(tensors) })).toEqual([]);
    expect(await kindsOf(planMerge([base, a], { method: linear }))).toEqual(["error base-missing"]);
  });

  test("reads no more than its sample and the search for moved rows", async () => {
    const reads = [plantNetwork(9), plantNetwork(10)].map((tensors, i) =>
      countReads(checkpointOf(tensors, `n${i}`)),
    );
    const plan = planMerge(
      reads.map(({ network }) => network),
      { method: linear },
    );
    expect(await kindsOf(plan, { sample: 1500, tensors: 5 })).toEqual(["warning different-seed"]);
    const tied = 2 * 96 * 24;
    for (const { read } of reads) expect(read()).toBeLessThanOrEqual(1500 + 1500 + tied);
  });
});
