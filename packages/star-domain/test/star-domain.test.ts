import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Checkpoint, createCheckpoint, createTensor, openCheckpoint } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { bindWeights, type Graph, randomWeights } from "@isthmus/graph";
import { average, lerp } from "@isthmus/interpolation";
import {
  comparePredictors,
  type FindStarOptions,
  type FoundStar,
  findStar,
  measureStar,
} from "@isthmus/star-domain";
import { recalibrateBatchNorm } from "@isthmus/statistics";
import { discoverSymmetries, permute, randomAlignment, type Symmetries } from "@isthmus/symmetry";
import { train } from "@isthmus/training";
import { align } from "@isthmus/weight-matching";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { checkpointNumbers } from "../../../test/helpers/checkpoint-numbers.ts";
import { GraphBuilder } from "../../../test/helpers/graph-builder.ts";
import { batchNorm } from "../../../test/helpers/small-networks.ts";
import { stripes } from "../../../test/helpers/stripes.ts";
import { RAY_DISTRIBUTIONS } from "../src/search/ray.ts";

const engine = createOnnxRuntimeEngine();
const data = stripes(60);
const testData = stripes(40, 1);

function network(norm: boolean): Graph {
  const b = new GraphBuilder(17);
  const x = b.linear(b.reshape(b.input("x", [1, 4, 4]), 0, 16), "l0", 16, 8);
  return b.output(b.linear(b.op("Relu", [norm ? batchNorm(b, x, "norm", 8) : x]), "l1", 8, 3)).build("small");
}

const graph = network(false);
const symmetries = await discoverSymmetries({ graph, engine }, {});
const { spec } = symmetries;

async function trained(seed: number, of = graph): Promise<Checkpoint> {
  const { weights } = await train({ graph: of, engine }, createCheckpoint(randomWeights(of, seed)), data, {
    seed,
    epochs: 12,
    batch: 12,
    threads: 1,
    schedule: { kind: "cosine", learningRate: 0.2 },
  });
  const tensors = await bindWeights(of, weights);
  return createCheckpoint(tensors, {}, `network ${seed}`);
}

const networks = [await trained(0), await trained(1), await trained(2), await trained(3)];
const [anchors, heldOut] = [networks.slice(0, 3), networks.slice(3)];
const start = createCheckpoint(randomWeights(graph, 9), {}, "random");
const search = {
  graph,
  engine,
  anchors,
  data,
  symmetries: symmetries as Symmetries | undefined,
  start: start as Checkpoint | undefined,
};
const options: FindStarOptions = {
  seed: 5,
  epochs: 4,
  batch: 16,
  threads: 1,
  optimizer: { kind: "sgd", momentum: 0.9, nesterov: true },
  schedule: { kind: "cosine", learningRate: 0.1 },
};

const find = (
  more: Partial<FindStarOptions> = {},
  other: Partial<typeof search> = {},
): Promise<FoundStar> => {
  const { anchors: to, data: on, start: from, ...architecture } = { ...search, ...other };
  return findStar(architecture, to, on, { ...options, start: from, ...more });
};

/** Options that abort at a step, or while anchors are aligned for an epoch. */
function abortAt({ step, aligning }: { step?: number; aligning?: number }): Partial<FindStarOptions> {
  const controller = new AbortController();
  return {
    signal: controller.signal,
    onProgress(progress) {
      const isThere =
        progress.phase === "aligning"
          ? progress.epoch === aligning && progress.aligned === 1
          : progress.phase === "training" && progress.step === step;
      if (isThere) controller.abort();
    },
  };
}

let folder: string;
let statePath: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "isthmus-star-"));
  statePath = join(folder, "star.state.safetensors");
});
afterEach(() => rmSync(folder, { recursive: true }));

describe("findStar()", () => {
  it.each(RAY_DISTRIBUTIONS)(
    "findStar() with %s rays lowers the loss on the way to anchors",
    async (rays) => {
      const { star, result } = await find({ rays, epochs: 25 });
      expect(result.loss).toBeLessThan((result.epochs[0]?.loss ?? 0) / 2);
      expect(result).toMatchObject({ rays, alignEvery: 1, restarts: 1, start: "random", seed: 5 });
      expect(result.anchors).toEqual(["network 0", "network 1", "network 2"]);
      expect([...star.tensors.keys()]).toEqual([...graph.weights.keys()]);
      expect(JSON.parse(JSON.stringify(result))).toEqual(result);
    },
  );

  it("findStar() starts from the mean of the anchors, aligned to the first, where nothing else is given", async () => {
    const still: Partial<FindStarOptions> = {
      epochs: 1,
      alignEvery: 0,
      schedule: { kind: "constant", learningRate: 1e-30 },
    };
    const { graph: _, ...rest } = search;
    const { start: __, ...without } = { graph, ...rest };
    const first = anchors[0] as Checkpoint;
    const copies = [1, 2].map((seed) => permute(randomAlignment(spec, seed), first, spec));
    const { star } = await findStar(without, [first, ...copies], without.data, { ...options, ...still });
    const [got, expected] = [await checkpointNumbers(star), await checkpointNumbers(first)];
    for (const [name, numbers] of Object.entries(expected)) {
      // The mean of three equal numbers, rounded.
      numbers.forEach((value, i) => {
        expect(got[name]?.[i]).toBeCloseTo(value, 6);
      });
    }
  });

  it("findStar() does not depend on the order of anchors' units where it aligns them", async () => {
    const moved = anchors.map((anchor, seed) => permute(randomAlignment(spec, seed + 20), anchor, spec));
    const [first, other] = [await find(), await find({}, { anchors: moved })];
    expect(await checkpointNumbers(other.star)).toEqual(await checkpointNumbers(first.star));
    const as = await find({ alignEvery: 0 }, { anchors: moved });
    expect(await checkpointNumbers(as.star)).not.toEqual(await checkpointNumbers(first.star));
  });

  it("findStar() gives the same bytes, however few anchors are held in memory", async () => {
    expect(await checkpointNumbers((await find({ memory: 1 })).star)).toEqual(
      await checkpointNumbers((await find()).star),
    );
  });

  it.each([
    { step: 3, alignEvery: 1 },
    { step: 9, alignEvery: 2 },
    { step: 8, alignEvery: 3 },
    { aligning: 2, alignEvery: 1 },
  ])("findStar() aborted at %o goes on to the same bytes", async ({ alignEvery, ...at }) => {
    const whole = await find({ alignEvery });
    await expect(find({ alignEvery, statePath, ...abortAt(at) })).rejects.toThrow(/abort/i);
    const resumed = await find({ alignEvery, statePath, resume: true });
    expect(await checkpointNumbers(resumed.star)).toEqual(await checkpointNumbers(whole.star));
    expect(resumed.result.epochs).toEqual(whole.result.epochs);
    expect(resumed.result.resumedAt).toBeGreaterThan(0);
    const state = await openCheckpoint(statePath);
    expect([...state.tensors.keys()]).toContain("alignment of anchor 2");
    await state.close();
  });

  it("findStar() keeps the counters of batches beside its weights, so that the star can be measured", async () => {
    const steps = createTensor("i64", [], new BigInt64Array([7n]));
    const counted = await Promise.all(
      anchors.map(async (anchor) => {
        const weights = await bindWeights(graph, anchor);
        return createCheckpoint(new Map([...weights, ["norm.num_batches_tracked", steps]]));
      }),
    );
    const architecture = { graph, engine, symmetries };
    const { star } = await findStar(architecture, counted, data, { ...options, epochs: 1 });
    expect(await star.read("norm.num_batches_tracked")).toEqual(steps);
    const networks = { star, anchors: counted, heldOut: [] };
    const { barriers } = await measureStar(architecture, networks, data, { seed: 0, points: 3 });
    expect(barriers.starAnchor.pairs).toHaveLength(counted.length);
  });

  it("findStar() measures batch norms anew at the end, on the first examples", async () => {
    const normed = network(true);
    const others = [await trained(0, normed), await trained(1, normed)];
    const permutations = await discoverSymmetries({ graph: normed, engine }, {});
    const { star } = await findStar({ graph: normed, engine, symmetries: permutations }, others, data, {
      ...options,
      statisticsExamples: 60,
    });
    const weights = await bindWeights(normed, star);
    const again = await recalibrateBatchNorm({ graph: normed, engine }, star, data);
    expect([...(await again.read("norm.mean")).data]).toEqual([...(weights.get("norm.mean")?.data ?? [])]);
    const [first] = others as [Checkpoint];
    expect((await checkpointNumbers(first))["norm.mean"]).not.toEqual(
      (await checkpointNumbers(star))["norm.mean"],
    );
  });

  it("findStar() begins at the start whose trial ends lowest, and more starts never end higher", async () => {
    const own = { start: undefined };
    const lowest = ({ result }: FoundStar) => Math.min(...(result.tried ?? []).map(({ loss }) => loss));
    const [two, three] = [await find({ starts: 2 }, own), await find({ starts: 3 }, own)];
    expect(three.result.tried?.slice(0, 2)).toEqual(two.result.tried);
    expect(lowest(three)).toBeLessThanOrEqual(lowest(two));
    const chosen = three.result.tried?.find(({ loss }) => loss === lowest(three));
    expect(three.result.start).toBe(chosen?.start);
    expect(new Set(three.result.tried?.map(({ start: from }) => from)).size).toBe(3);
    const one = await find({}, own);
    expect(one.result).not.toHaveProperty("tried");
    expect(one.result.start).toBe(three.result.tried?.[0]?.start);
  });

  it("findStar() finds from several starts the star that it finds from the chosen one", async () => {
    const several = await find({ starts: 4, epochs: 3 });
    const { tried = [], start: from } = several.result;
    expect(tried[0]?.start).toBe("random");
    const index = tried.findIndex(({ start: one }) => one === from);
    const target = anchors[index - 1] as Checkpoint; // the mean of anchors is better than random weights
    const matched = anchors.map(async (anchor) => {
      if (anchor === target) return anchor;
      const { aligned } = await align({ graph, engine }, [target, anchor], {
        seed: 5,
        restarts: 1,
        symmetries,
      });
      return (aligned[0] as (typeof aligned)[0]).network;
    });
    const alone = await find({ epochs: 3 }, { start: average(await Promise.all(matched)) });
    expect(await checkpointNumbers(several.star)).toEqual(await checkpointNumbers(alone.star));
    expect(several.result.epochs).toEqual(alone.result.epochs);
  });

  it("findStar() with several starts resumes to the same bytes, and repeats no trial", async () => {
    const starts = { starts: 3, alignEvery: 2 };
    const whole = await find(starts);
    const phases: string[] = [];
    await expect(find({ ...starts, statePath, ...abortAt({ step: 9 }) })).rejects.toThrow(/abort/i);
    const onProgress = ({ phase }: { phase: string }) => phases.push(phase);
    const resumed = await find({ ...starts, statePath, resume: true, onProgress });
    expect(await checkpointNumbers(resumed.star)).toEqual(await checkpointNumbers(whole.star));
    expect(resumed.result.tried).toEqual(whole.result.tried);
    expect(phases).not.toContain("trying starts");
    await expect(find({ ...starts, statePath, resume: true, starts: 2 })).rejects.toThrow(
      /"losses of starts" is f64 \[3\] there and f64 \[2\] here/,
    );
    await expect(find({ ...starts, statePath })).rejects.toThrow(/must not replace an earlier one/);
    await expect(find({ statePath, resume: true })).rejects.toThrow(/Cannot resume/);
  });

  it("findStar() refuses more starts than there are", async () => {
    await expect(find({ starts: 5 })).rejects.toThrow(
      /"starts" must be at most 4, as there is one for each anchor, and the given one: it is 5/,
    );
    await expect(find({ starts: 4 }, { start: undefined })).rejects.toThrow(/at most 3, .*anchor: it is 4/);
    await expect(find({ starts: 2 }, { start: undefined, symmetries: undefined })).rejects.toThrow(
      /at most 1, as without alignments all means of anchors are one: it is 2/,
    );
    await expect(find({ starts: 0 })).rejects.toThrow(/"starts" must be a whole number/);
  });

  it("findStar() refuses what it cannot find a star of, before the first step", async () => {
    await expect(find({}, { anchors: anchors.slice(0, 1) })).rejects.toThrow(
      /at least two anchors: there is 1/,
    );
    await expect(find({}, { anchors: [] })).rejects.toThrow(/there are none/);
    const other = createCheckpoint(randomWeights(network(true), 0), {}, "other");
    await expect(find({}, { graph: network(true) })).rejects.toThrow(/lacks 4 of 8 weights/);
    await expect(find({}, { anchors: [...anchors, other] })).rejects.toThrow(
      /Cannot feed "other" to graph "small" as it must read every floating-point tensor: 4 of 8 are not read/,
    );
    await expect(find({ rays: "gamma" as "beta" })).rejects.toThrow(/"rays" must be one of uniform/);
    await expect(find({ memory: 0 })).rejects.toThrow(/"memory" must be a whole number of at least 1/);
    await expect(find({ epochs: 0 })).rejects.toThrow(/"epochs" must be/);
    await find({ statePath });
    await expect(find({ statePath, resume: true, rays: "beta" })).rejects.toThrow(
      /"blend.description.rays" is "uniform" there and "beta" here/,
    );
  });
});

describe("measureStar()", () => {
  it("measureStar() measures pairs of three sorts, each aligned first", async () => {
    const moved = heldOut.map((one) => permute(randomAlignment(spec, 3), one, spec));
    const task = {
      graph,
      engine,
      star: networks[3] as Checkpoint,
      anchors,
      heldOut: moved,
      data,
      symmetries,
    };
    const done: number[] = [];
    const result = await measureStar(task, task, task.data, {
      seed: 1,
      regularPairs: 2,
      onProgress: (progress) => done.push(progress.done),
    });
    expect(result).toMatchObject({ kind: "star", points: 11, aligned: true, examples: 60, seed: 1 });
    const { regularRegular, starHeldOut, starAnchor } = result.barriers;
    expect([regularRegular, starHeldOut, starAnchor].map(({ pairs }) => pairs.length)).toEqual([2, 1, 3]);
    // The held-out network is the star with its units moved: there is nothing between them, once aligned.
    expect(starHeldOut.mean).toBeLessThan(1e-6);
    expect(starHeldOut.std).toBeNaN();
    expect(starAnchor.mean).toBeCloseTo(starAnchor.pairs.reduce((sum, { loss }) => sum + loss, 0) / 3, 14);
    expect(done.every((value, i) => value >= (done[i - 1] ?? 0) && value <= 1)).toBe(true);
    const { symmetries: _, ...asTheyAre } = task;
    const naive = await measureStar(asTheyAre, asTheyAre, asTheyAre.data, { seed: 1, regularPairs: 2 });
    expect(naive.aligned).toBe(false);
    expect(naive.barriers.starHeldOut.mean).toBeGreaterThan(0.01);
    expect(naive.barriers.regularRegular.pairs.map(({ a, b }) => [a, b])).toEqual(
      regularRegular.pairs.map(({ a, b }) => [a, b]),
    );
  });

  it("measureStar() takes all regular pairs where asked for, and no held-out networks", async () => {
    const task = { graph, engine, star: start, anchors, heldOut: [], data };
    const { barriers } = await measureStar(task, task, task.data, { seed: 0, regularPairs: 0, points: 3 });
    expect(barriers.regularRegular.pairs.map(({ a, b }) => [a, b])).toEqual([
      ["network 0", "network 1"],
      ["network 0", "network 2"],
      ["network 1", "network 2"],
    ]);
    expect(barriers.starHeldOut.pairs).toEqual([]);
  });

  it("measureStar() refuses what does not fit", async () => {
    const task = { graph, engine, star: start, anchors, heldOut, data };
    await expect(
      measureStar(task, { star: task.star, anchors: [], heldOut: task.heldOut }, task.data, { seed: 0 }),
    ).rejects.toThrow(/must have anchors/);
    await expect(measureStar(task, task, task.data, { seed: 0, restarts: 0 })).rejects.toThrow(
      /"restarts" must be/,
    );
    await expect(measureStar(task, task, task.data, { seed: 0, points: 2 })).rejects.toThrow(
      /"points" must be/,
    );
  });
});

describe("comparePredictors()", () => {
  it("comparePredictors() judges the star, its rays, the ensemble and single networks", async () => {
    const { star } = await find({ epochs: 10 });
    const shares: number[] = [];
    const task = { graph, engine, star, anchors, data: testData, symmetries };
    const compared = await comparePredictors(task, { star: task.star, anchors: task.anchors }, task.data, {
      outOfDistribution: stripes(30, 2),
      seed: 0,
      members: 7,
      onProgress: ({ done }) => shares.push(done),
    });
    expect(compared.predictors.map(({ name, members }) => [name, members])).toEqual([
      ["star", 1],
      ["rays of the star", 7],
      ["deep ensemble", 3],
      ["single networks", 1],
    ]);
    for (const predictor of compared.predictors) {
      expect(predictor.accuracy).toBeGreaterThan(0.6);
      // The other data are of the same distribution: they cannot be told.
      expect(Math.abs((predictor.aurocOutOfDistribution ?? 0) - 0.5)).toBeLessThan(0.2);
    }
    const [, , ensemble, single] = compared.predictors;
    // Jensen's inequality: the mean of probabilities is never worse than their losses' mean.
    expect(ensemble?.nll).toBeLessThanOrEqual(single?.nll ?? 0);
    expect(ensemble?.brier).toBeLessThanOrEqual(single?.brier ?? 0);
    expect(shares.at(-1)).toBe(1);
    expect(shares).toHaveLength(11);
    const constant = await comparePredictors(task, task, task.data, {
      seed: 0,
      members: 3,
      rays: "constant",
    });
    expect(constant.outOfDistribution).toBeUndefined();
    expect(constant.predictors[0]).not.toHaveProperty("aurocOutOfDistribution");
  });

  it("comparePredictors() with a star that is all anchors gives all predictors alike", async () => {
    const star = anchors[0] as Checkpoint;
    const twins = [1, 2].map((seed) => permute(randomAlignment(spec, seed), star, spec));
    const { predictors } = await comparePredictors(
      { graph, engine, symmetries },
      { star, anchors: twins },
      testData,
      { seed: 0 },
    );
    // On the way to itself a network stays as it is; permuted, it rounds differently.
    for (const { nll } of predictors) expect(nll).toBeCloseTo(predictors[0]?.nll ?? 0, 5);
    const apart = lerp(star, twins[0] as Checkpoint, 0.5);
    expect(await checkpointNumbers(apart)).not.toEqual(await checkpointNumbers(star));
  });

  it("comparePredictors() wants examples to measure batch norms on", async () => {
    const normed = network(true);
    const others = [0, 1].map((seed) => createCheckpoint(randomWeights(normed, seed)));
    const task = { graph: normed, engine, star: others[0] as Checkpoint, anchors: others, data: testData };
    await expect(comparePredictors(task, task, task.data, { seed: 0 })).rejects.toThrow(
      /batch norms .* must be measured anew/,
    );
    const { predictors } = await comparePredictors(task, task, task.data, { seed: 0, statisticsData: data });
    expect(predictors).toHaveLength(4);
    await expect(comparePredictors(task, task, task.data, { seed: 0, members: 0 })).rejects.toThrow(
      /"members" must be/,
    );
  });
});
