import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { at, type Checkpoint, entry } from "@isthmus/core";
import { createTextDataSet } from "@isthmus/data";
import type { DataSet, Graph } from "@isthmus/graph";
import { discoverContinuous, discoverSymmetries, verifyAlignment } from "@isthmus/symmetry";
import { alignMany, matchLearned, matchManyLearned } from "@isthmus/weight-matching";
import { llama } from "@isthmus/zoo";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { denseMixture } from "../../../test/helpers/dense-mixture.ts";
import { distance } from "../../../test/helpers/distance.ts";
import { rotaryNetwork } from "../../../test/helpers/rotary-networks.ts";
import { streamNetwork } from "../../../test/helpers/stream-networks.ts";
import { changedWeights } from "../src/learned/learning/changed-weights.ts";
import { generatorGradients } from "../src/learned/learning/generators.ts";
import { relativeTo } from "../src/learned/learning/learn-spaces.ts";
import { createMidpointMixer } from "../src/learned/learning/midpoint-mixer.ts";
import { createRowMultiplier } from "../src/learned/learning/row-products.ts";
import { createSoftMidpoint } from "../src/learned/learning/soft-midpoint.ts";
import type { MixedUnits } from "../src/learned/learning/unit-inputs.ts";
import { toCheckpoint } from "../src/learned/permute-framed.ts";
import { createStreamFrame, type Doubles, mixed, type StreamFrame } from "../src/learned/stream-frame.ts";
import { identityFactors, multiplied } from "../src/learned/unit-factors.ts";
import { engine, examplesFor, networkOf, scramble } from "./learned-networks.ts";

const GRAPHS: readonly (readonly [string, Graph])[] = [
  ["layer norms", streamNetwork("layer")],
  ["rotary embeddings", rotaryNetwork("halves")],
  [
    "a gated MLP",
    llama({ depth: 1, width: 8, heads: 2, groups: 1, hidden: 6 }, { exampleShape: [4], classes: 5 }).graph,
  ],
];

/** Examples for a graph; texts of its five characters if it takes tokens. */
const dataFor = (graph: Graph): DataSet =>
  graph.inputs[0]?.dtype === "i64"
    ? createTextDataSet("abcdeacebd".repeat(12), { context: 4 })
    : examplesFor(graph);

/** Opens the frame of a graph, with the networks of some seeds in it. */
async function openFramed(graph: Graph, seeds: readonly number[]) {
  const symmetries = await discoverSymmetries({ graph, engine });
  const frame = createStreamFrame(graph, await discoverContinuous({ graph, engine }, symmetries));
  const networks: Doubles[] = [];
  for (const seed of seeds) networks.push(await frame.enter(networkOf(graph, seed)));
  return { architecture: { graph, engine, symmetries }, frame, networks };
}

/** Draws an element of the continuous group. */
function drawUnits(frame: StreamFrame, seed: number): MixedUnits {
  const { scales } = identityFactors(frame.units);
  return {
    mixture: denseMixture(frame.symmetries.mixing.spaces, seed),
    scales: scales.map((_, variable) => 0.5 + ((seed + 7 * variable) % 10) / 10),
    places: [],
  };
}

function moved(frame: StreamFrame, network: Doubles, { mixture, scales }: MixedUnits): Doubles {
  const factors = { ...identityFactors(frame.units), scales };
  return mixed(frame, multiplied(frame.units, network, factors), mixture);
}

function between(one: Doubles, two: Doubles, t: number): Doubles {
  return new Map(
    [...one].map(([name, values]) => {
      const other = entry(two, name, "weight");
      return [name, values.map((value, i) => (1 - t) * value + t * at(other, i, "element"))];
    }),
  );
}

describe.each(GRAPHS)("two ends that move, of a network with %s", (_, graph) => {
  let framed: Awaited<ReturnType<typeof openFramed>>;
  beforeAll(async () => {
    framed = await openFramed(graph, [1, 2]);
  });

  test("lead from gA to hB through what the way from A to g^-1 h B computes", async () => {
    const { frame, networks } = framed;
    const [a, b] = networks as [Doubles, Doubles];
    const seeds = fc.integer({ min: 0, max: 1e4 });
    const places = fc.double({ min: 0, max: 1, noNaN: true });
    await fc.assert(
      fc.asyncProperty(seeds, seeds, places, async (first, second, t) => {
        const [g, h] = [drawUnits(frame, first), drawUnits(frame, second)];
        const dual = between(moved(frame, a, g), moved(frame, b, h), t);
        const single = between(a, moved(frame, b, relativeTo(frame, g, h)), t);
        const both = [dual, single].map((network) => toCheckpoint(graph, network, "f64")) as [
          Checkpoint,
          Checkpoint,
        ];
        const result = await verifyAlignment({ graph, engine }, both, { seed: first, tolerance: 1e-3 });
        expect(result).toMatchObject({ passed: true });
      }),
      { numRuns: 8 },
    );
  });

  test("have gradients that sum to 0, so that the reference's is minus those of the others together", async () => {
    const { architecture, frame, networks } = await openFramed(graph, [1, 2, 3]);
    const { spaces } = frame.symmetries.mixing;
    const checkpoints = [1, 2, 3].map((seed) => networkOf(graph, seed));
    const withRespectTo = changedWeights(architecture, frame).map(({ name }) => name);
    const options = { batchSize: 16, withRespectTo };
    const midpoint = await createSoftMidpoint(architecture, checkpoints, dataFor(graph), options);
    const mixer = await createMidpointMixer({ architecture, frame }, { count: 3, movers: [0, 1, 2] });
    const shares = [0.2, 0.3, 0.5];
    const units = [4, 5, 6].map((seed) => drawUnits(frame, seed));
    const means = await mixer.of(networks)(units, shares);
    const { gradients } = await midpoint.step(means.weights, 0, shares);
    const multiplier = await createRowMultiplier({ architecture, frame }, midpoint.parameters);
    const sums = spaces.map(({ size }) => new Float64Array(size * size));
    const sizes = sums.map(() => 0);
    for (const [k, network] of means.networks.entries()) {
      const { matrices } = await multiplier.multiply(gradients, network);
      generatorGradients(spaces, matrices, at(shares, k, "share")).forEach((gradient, space) => {
        const sum = at(sums, space, "space");
        for (let i = 0; i < sum.length; i++) sum[i] = at(sum, i, "element") + at(gradient, i, "element");
        sizes[space] = Math.max(at(sizes, space, "space"), ...gradient.map(Math.abs));
      });
    }
    expect(Math.max(...sizes)).toBeGreaterThan(1e-4);
    for (const [space, sum] of sums.entries())
      expect(Math.max(...sum.map(Math.abs))).toBeLessThan(1e-3 * at(sizes, space, "space") + 1e-7);
    await multiplier.release();
    await mixer.release();
    await midpoint.release();
  });
});

describe("matchManyLearned()", () => {
  const graph = streamNetwork("layer");
  const data = examplesFor(graph);
  const networks = [1, 2, 3].map((seed) => networkOf(graph, seed));
  const options = { seed: 0, steps: 16, batchSize: 16, learningRate: 0.02 };
  const run = async (of: readonly Checkpoint[], extra: object = {}) => {
    const symmetries = await discoverSymmetries({ graph, engine });
    return matchManyLearned({ graph, engine, symmetries }, of, data, { ...options, ...extra });
  };
  /** Moves each network but the first. */
  const moveAll = async (of: readonly Checkpoint[], { others }: Awaited<ReturnType<typeof run>>) =>
    Promise.all(others.map(({ transform }, i) => transform(at(of, i + 1, "network"))));

  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "isthmus-joint-"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test("lowers the loss of the mean of three, and keeps what each computes", async () => {
    const [closed, learned] = [await run(networks, { steps: 0 }), await run(networks)];
    expect(learned.objective.before).toBe(closed.objective.before);
    expect(learned.objective.after).toBeGreaterThan(closed.objective.after);
    for (const [i, network] of (await moveAll(networks, learned)).entries()) {
      const pair = [at(networks, i + 1, "network"), network] as const;
      expect(await verifyAlignment({ graph, engine }, pair, { seed: 3 })).toMatchObject({ passed: true });
    }
  });

  test.each([
    { ends: "one" },
    { ends: "both" },
    { ends: "both", units: "straight-through", learningRate: 0.5 },
    { at: "sampled" },
  ])("goes on where it was stopped, to the same bytes, with %j", async (choice) => {
    const whole = await run(networks, choice);
    const statePath = join(folder, `${Object.values(choice).join("-")}.state.safetensors`);
    for (const last of [5, 9]) {
      const controller = new AbortController();
      const onProgress = ({ step }: { readonly step: number }) => {
        if (step === last) controller.abort();
      };
      const stopped = run(networks, { ...choice, statePath, signal: controller.signal, onProgress });
      await expect(stopped).rejects.toMatchObject({ name: "AbortError" });
    }
    const made: number[] = [];
    const onProgress = ({ step }: { readonly step: number }) => void made.push(step);
    const again = await run(networks, { ...choice, statePath, onProgress });
    expect(made).toEqual([10, 11, 12, 13, 14, 15, 16]);
    expect(again.objective).toEqual(whole.objective);
    expect(again.others.map(({ start, moved }) => ({ start, moved }))).toEqual(
      whole.others.map(({ start, moved }) => ({ start, moved })),
    );
    const [one, two] = [await moveAll(networks, whole), await moveAll(networks, again)];
    for (const [i, network] of one.entries()) expect(await distance(network, at(two, i, "network"))).toBe(0);
  });

  test("of two networks is matchLearned(), and learns at both ends without changing the first", async () => {
    const pair = [at(networks, 0, "network"), at(networks, 1, "network")] as const;
    const symmetries = await discoverSymmetries({ graph, engine });
    const [one, many] = [
      await matchLearned({ graph, engine, symmetries }, pair, data, options),
      await run(pair),
    ];
    expect(one.objective).toEqual(many.objective);
    expect(await distance(await one.transform(pair[1]), at(await moveAll(pair, many), 0, "network"))).toBe(0);
    const both = await run(pair, { ends: "both" });
    expect(both.objective.after).toBeGreaterThan(at(both.others, 0, "network").start.closedForm);
    const [moved] = await moveAll(pair, both);
    expect(await distance(await one.transform(pair[1]), moved as Checkpoint)).toBeGreaterThan(0);
    // The path keeps the norms of the first, which is not moved.
    expect((await moved?.read("norm1.weight"))?.data).toEqual((await pair[0].read("norm1.weight")).data);
    const check = await verifyAlignment({ graph, engine }, [pair[1], moved as Checkpoint], { seed: 3 });
    expect(check).toMatchObject({ passed: true });
  });

  test("of two that both move steps as one that moves twice as far, as their gradients are opposite", async () => {
    const pair = networks.slice(0, 2);
    const [start, both, twice] = [
      await run(pair, { steps: 0 }),
      await run(pair, { steps: 1, ends: "both", learningRate: 0.05 }),
      await run(pair, { steps: 1, learningRate: 0.1 }),
    ];
    const [from, one, other] = await Promise.all(
      [start, both, twice].map(async (result) => at(await moveAll(pair, result), 0, "network")),
    );
    const step = await distance(from as Checkpoint, other as Checkpoint);
    expect(step).toBeGreaterThan(1e-3);
    expect(await distance(one as Checkpoint, other as Checkpoint)).toBeLessThan(step / 50);
  });

  test("brings copies moved by the whole group back together", async () => {
    const first = at(networks, 0, "network");
    const copies = [first, await scramble(graph, first, 5), await scramble(graph, first, 6)];
    const found = await run(copies, { steps: 0 });
    for (const network of await moveAll(copies, found))
      expect(await distance(network, first)).toBeLessThan(1e-3);
    expect(found.objective.after).toBeGreaterThan(found.objective.before);
  });

  test("is what alignMany() does by learning, proved, in the coordinates of any network", async () => {
    const result = await alignMany({ graph, engine }, networks, {
      ...{ method: "learned" as const, data, seed: 0, reference: 1 },
      learning: { steps: 4, batchSize: 16 },
    });
    expect(result.aligned.every(({ summary }) => summary.verified.passed)).toBe(true);
    expect(result.networks).toHaveLength(3);
    expect(await distance(at(result.networks, 1, "network"), at(networks, 1, "network"))).toBe(0);
    const order = [1, 0, 2].map((i) => at(networks, i, "network"));
    const direct = await moveAll(order, await run(order, { steps: 4, learningRate: undefined }));
    for (const [i, network] of direct.entries())
      expect(await distance(network, at(result.networks, at([0, 2], i, "place"), "network"))).toBe(0);
  });
});
