// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of the study

import { InputError } from "@isthmus/core";
import type { Task } from "@isthmus/tasks";
import type { LossSpec, OptimizerSpec, ScheduleSpec } from "@isthmus/training";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { withOtherType, withStrangeKey } from "../../../../test/helpers/mutate-json.ts";
import { CUMULATIVE_ORDERS } from "../../../barrier/src/layers-result.ts";
import { fewImages } from "../../test/few-images.ts";
import { SMALL_STUDY } from "../../test/small-study.ts";
import type { StudyDescription } from "../description/study-description.ts";
import { planStudy } from "../plan/plan-study.ts";
import { loadStudyTasks } from "./task-kinds.ts";

const STUDY_TASKS = await loadStudyTasks();

const rules = { weightDecay: 0.1, decayFromRank: 2, decayExcept: ["*.bias"], clipNorm: 1 };
const OPTIMIZERS: readonly OptimizerSpec[] = [
  { kind: "sgd", momentum: 0.9, nesterov: true, ...rules, clipNorm: null },
  { kind: "adam", beta1: 0.8, beta2: 0.9, epsilon: 1e-6, ...rules },
  { kind: "sam", rho: 0.1, base: { kind: "adamw", ...rules } },
];
const warmup = { learningRate: 0.1, warmupSteps: 3, warmupFrom: 0.5 };
const SCHEDULES: readonly ScheduleSpec[] = [
  { kind: "constant", ...warmup },
  { kind: "cosine", finalRate: 0, ...warmup },
  { kind: "one-cycle", rise: 0.2, initialDivisor: 10, finalDivisor: 100, ...warmup },
  { kind: "step", every: 3, factor: 0.5, ...warmup },
];
const LOSSES: readonly LossSpec[] = [
  { kind: "cross-entropy", labelSmoothing: 0.1 },
  { kind: "mean-squared-error", prediction: "logits" },
  { kind: "binary-cross-entropy" },
  { kind: "output", output: "loss", examples: "x", targets: "y" },
];

/** A study with tasks of every kind, with every option. */
const STUDY: StudyDescription = {
  title: "Every kind",
  networks: {
    ...SMALL_STUDY.networks,
    ...Object.fromEntries(
      SCHEDULES.map((schedule, i) => {
        const optimizer = OPTIMIZERS[i % OPTIMIZERS.length] as OptimizerSpec;
        const loss = LOSSES[i % LOSSES.length] as LossSpec;
        const training = { optimizer, schedule, loss, batch: 4, augment: { crop: 1, flip: true } };
        const network = { net: "mlp:4", data: "few:train", seed: 0, epochs: 2, ...training };
        return [`trained${i}`, network] as const;
      }),
    ),
    stars: {
      ...{
        for: { width: [4, 8] },
        star: "mlps",
        net: "mlp:4",
        data: "few:train",
        seed: 9,
        epochs: 2,
        batch: 4,
        starts: 3,
      },
      ...{ rays: "beta", alignEvery: 2, restarts: 2, statisticsExamples: 8, optimizer: { kind: "adam" } },
    },
    tuned: {
      ...{ tune: "mlps", where: { epochs: 3 }, data: "few:train", seed: 1, epochs: 2, batch: 4 },
      ...{ freeze: ["layers.0.*"], augment: { flip: true } },
    },
    cbft: {
      ...{ tune: "mlps", where: { epochs: 3 }, method: "cbft", data: "few:train", cue: "few:test" },
      ...{ seed: 1, epochs: 1, batch: 4, learningRate: 0.1, weightDecay: 0, margin: 2, invariance: 3 },
      warmup: 0,
    },
    tickets: {
      ...{ tickets: "gradient", net: "mlp:4", data: "few:train", seed: 0, batch: 4 },
      ...{ sparsity: 0.5, rounds: 1, by: "layer", rewind: 1, epochs: 2 },
    },
    pruned: {
      ...{
        prune: "mlps",
        where: { epochs: 3 },
        sparsity: 0.5,
        by: "units",
        data: "few:train",
        epochs: 1,
        batch: 4,
      },
    },
    grids: { quantize: "mlps", where: { epochs: 3 }, bits: 4 },
    moved: { teleport: "mlps", where: { epochs: 3 }, objective: "gradient-norm", data: "few:train" },
    along: {
      ...{ collect: "mlps", where: { epochs: 3, width: 4 }, method: "fge", data: "few:train", seed: 1 },
      ...{ epochs: 4, learningRate: 0.1, lowRate: 0.01, cycle: 2, batch: 4, augment: { flip: true } },
    },
    drawn: {
      ...{ collect: "mlps", where: { epochs: 3, width: 4 }, method: "posterior", data: "few:train", seed: 1 },
      ...{ epochs: 1, members: 2, concentration: 4, batch: 4 },
    },
    simplex: {
      ...{ collect: "mlps", where: { epochs: 3, width: 4 }, method: "spro", data: "few:train", seed: 1 },
      ...{ epochs: 1, members: 1, volume: 0.1, batch: 4 },
    },
    control: { scatter: "along", seed: 2, data: "few:train" },
  },
  measurements: {
    ensembles: {
      ...{
        kind: "ensemble",
        of: "mlps",
        where: { epochs: 3 },
        star: "stars",
        data: "few:test",
        batchSize: 4,
      },
      ...{ selectionData: "few:train", statisticsData: "few:train", others: ["few:other"], members: 2 },
      ...{ diversity: 0.5, rays: "beta", rayMembers: 2, simplexMembers: 2 },
    },
    maps: {
      ...{ kind: "map", of: "mlps", where: { epochs: 3 }, star: "stars", data: "few:test", batchSize: 4 },
      ...{ statisticsData: "few:train", many: "tree", restarts: 3, memory: 1000, points: 5 },
      statistics: "recalibrate",
    },
    planes: {
      ...{ kind: "plane", of: "mlps", where: { epochs: 3 }, data: "few:test", batchSize: 4 },
      ...{ statisticsData: "few:train", points: 3, margin: 0.1, curve: "chain", statistics: "keep" },
    },
    attacks: {
      ...{ kind: "attack", of: "mlps", where: { epochs: 3, width: 4 }, data: "few:test", batchSize: 4 },
      sources: { one: { of: "along", mode: "in-turn" }, two: { of: "control" } },
      ...{ method: "pgd", norm: "l2", epsilon: 0.1, steps: 2, stepSize: 0.05, randomStart: false },
    },
    fronts: {
      ...{ kind: "pareto", net: "mlp:4", data: "few:train", testData: "few:test", layout: "beside" },
      ...{ seed: 1, epochs: 1, batch: 4, concentration: 2, points: 3, scalarised: 2, scalarisedEpochs: 1 },
      ...{ optimizer: { kind: "adam" }, schedule: { kind: "constant", learningRate: 0.1 } },
    },
    dropout: {
      ...{ kind: "dropout-stability", of: "tuned", data: "few:test", batchSize: 4, shares: [0.5] },
      ...{ choice: "largest", rescale: "fit", trials: 2, statistics: "recalibrate", layers: ["layers.0"] },
    },
    paths: {
      ...{
        kind: "dropout-path",
        between: "mlps",
        data: "few:test",
        statisticsData: "few:train",
        batchSize: 4,
      },
      ...{ choice: "random", rescale: "inverse", trials: 1, statistics: "recalibrate", pointsPerLine: 2 },
    },
    dimensions: {
      ...{ kind: "intrinsic-dimension", net: "mlp:6", data: "few:test", trainOn: "few:train", batch: 4 },
      ...{ labels: "shuffled", projection: "sparse", scope: "layer", threshold: 0.5, seeds: [1, 2] },
      ...{ first: 8, least: 2, most: 20, resolution: 0.5, epochs: 1, optimizer: { kind: "adam" } },
      schedule: { kind: "constant", learningRate: 0.1 },
      baselineSchedule: { kind: "constant", learningRate: 0.01 },
    },
    walks: {
      ...{
        kind: "walked-path",
        between: "mlps",
        data: "few:test",
        statisticsData: "few:train",
        batchSize: 4,
      },
      ...{ trainOn: "few:train", moves: 2, trainSteps: 2, learningRate: 0.01, batch: 4, points: 3 },
      ...{ statistics: "keep", optimizer: { kind: "adam" } },
    },
    mechanisms: {
      ...{ kind: "mechanisms", between: "mlps", statisticsData: "few:train", batchSize: 4 },
      ...{ sets: { one: "few:test", two: "few:train" }, points: 3, tolerance: 0.1, statistics: "keep" },
    },
    similarities: {
      ...{ kind: "similarity", between: "mlps", data: "few:test", batchSize: 4, values: ["*"] },
      ...{ measures: ["linear-cka", "svcca"], positions: "flatten", examples: 8, samples: 8 },
      ...{ estimator: "minibatch", block: 4, bandwidth: 0.5, variance: 0.9, anchors: 2, neighbours: 1 },
    },
    curves: {
      ...{ kind: "curve", between: "mlps", data: "few:test", statisticsData: "few:train", batchSize: 4 },
      ...{ trainOn: "few:train", epochs: 1, batch: 4, curve: "chain", bends: 2, points: 3 },
      ...{
        statistics: "keep",
        optimizer: { kind: "adam" },
        schedule: { kind: "constant", learningRate: 0.1 },
      },
    },
    curvature: {
      ...{ kind: "curvature", of: "tuned", data: "few:test", operator: "gauss-newton", batchSize: 4 },
      ...{ parameters: ["layers.*"], examples: 8, count: 1, tolerance: 1e-3, steps: 10 },
      ...{ traceProducts: 8, relativeError: 0.1, runs: 1, densitySteps: 4, canonical: true, by: "layer" },
      settling: { sizes: [2, 4], samples: 2, deviation: 0.1, steps: 3, traceProducts: 6 },
      sharpness: {
        ...{
          radius: 0.1,
          adaptiveRadius: 0.2,
          steps: 3,
          deviation: 0.01,
          adaptiveDeviation: 0.1,
          samples: 4,
        },
      },
    },
    landscapes: {
      ...{ kind: "landscape", of: "mlps", where: { epochs: 3 }, data: "few:test", batchSize: 4 },
      ...{ directions: "random", dimensions: 1, points: 3, range: [-0.5, 0.5], normalization: "layer" },
      ...{ vectors: "move", hessianExamples: 4, steps: 3, local: false, statistics: "keep" },
    },
    barriers: {
      ...{ kind: "barrier", for: { way: ["none", "weight", "activation", "learned"] }, between: "mlps" },
      ...{ align: "${way}", data: "few:test", statisticsData: "few:train", temperature: true, refine: 2 },
      match: { examples: 8, steps: 2, batch: 4, learningRate: 0.1, heads: "orthogonal" },
    },
    layers: {
      ...{ kind: "layers", between: "mlps", data: "few:test", statistics: "keep", predict: 4, directions: 2 },
      ...{
        groups: [{ name: "all", patterns: ["*"] }],
        orders: CUMULATIVE_ORDERS,
        statisticsData: "few:train",
      },
    },
    merged: {
      ...{ kind: "merge", for: { many: ["ensemble", "cycle", "reference"] }, of: "mlps", many: "${many}" },
      ...{ data: "few:test", statistics: "repair", statisticsData: "few:train", restarts: 2, batchSize: 4 },
    },
  },
  tables: {},
};

const openData = async (name: string) => fewImages(name);
const { tasks } = await planStudy(STUDY, { engine: "none", openData });
/** Parameters as another machine reads them, of tasks that differ in more than their networks. */
const PARAMS = tasks.map(({ kind, params }) => ({
  kind,
  params: JSON.parse(JSON.stringify(params)) as object,
}));

function check(kind: string, params: unknown): void {
  const assert = STUDY_TASKS.get(kind)?.assertParams;
  if (assert === undefined) throw new TypeError(`Kind "${kind}" checks nothing`);
  assert(params);
}

/** Returns the first task of a kind. */
const firstOf = (kind: string): Pick<Task, "params"> => tasks.find((task) => task.kind === kind) as Task;
/** Parameters of a task that the tests break by one option. */
const withOption = (kind: string, options: object): object => {
  const { params } = firstOf(kind) as { readonly params: { readonly options: object } };
  return { ...params, options: { ...params.options, ...options } };
};

describe("assertParams()", () => {
  it("assertParams() takes parameters of tasks of every kind as they come from another machine", () => {
    expect(new Set(PARAMS.map(({ kind }) => kind))).toEqual(new Set(STUDY_TASKS.keys()));
    for (const { kind, params } of PARAMS) check(kind, params);
  });

  it("assertParams() refuses parameters of which any part has another type", () => {
    const spoilt = fc
      .constantFrom(...PARAMS)
      .chain(({ kind, params }) => withOtherType(params).map((mutant) => ({ kind, ...mutant })))
      // A bound of the norm may be a number or null, for none.
      .filter(
        ({ path, value }) =>
          path.at(-1) !== "clipNorm" || !/"clipNorm":(null|[\d.e+]+)[,}]/.test(JSON.stringify(value)),
      );
    fc.assert(
      fc.property(spoilt, ({ kind, value }) => {
        expect(() => check(kind, value)).toThrow(InputError);
      }),
      { numRuns: 2000 },
    );
  });

  it("assertParams() refuses parameters with a key more anywhere", () => {
    const spoilt = fc
      .constantFrom(...PARAMS)
      .chain(({ kind, params }) => withStrangeKey(params).map((mutant) => ({ kind, ...mutant })));
    fc.assert(
      fc.property(spoilt, ({ kind, value }) => {
        expect(() => check(kind, value)).toThrow(/unknown key/);
      }),
      { numRuns: 1000 },
    );
  });

  it.each([
    ["train", { epochs: 1e9 }, '"params.options.epochs" must be at most 100000: it is 1000000000'],
    ["train", { epochs: 0 }, '"params.options.epochs" must be at least 1: it is 0'],
    ["train", { batch: 2 ** 40 }, '"params.options.batch" must be at most 1048576: it is 1099511627776'],
    ["train", { seed: 0.5 }, '"params.options.seed" must be a whole number: it is a number'],
    [
      "train",
      { optimizer: { kind: "adm" } },
      '"params.options.optimizer.kind" must be one of sgd, adam, adamw, sam',
    ],
    [
      "train",
      { optimizer: { kind: "adam", beta1: 1 } },
      '"params.options.optimizer.beta1" must be below 1: it is 1',
    ],
    [
      "train",
      { optimizer: { kind: "adam", beta: 1 } },
      'unknown key "beta"; did you mean "beta1"?, in "params.options.optimizer"',
    ],
    ["train", { loss: { kind: "output" } }, '"params.options.loss.output" is missing'],
    ["train", { augment: { crop: 1e8 } }, '"params.options.augment.crop" must be at most 32768'],
    ["barrier", { points: 1e9 }, '"params.options.points" must be at most 10001: it is 1000000000'],
    ["barrier", { statistics: "guess" }, '"params.options.statistics" must be one of'],
    ["layers", { directions: 1e9 }, '"params.options.directions" must be at most 10000'],
    ["learn", { learningRate: 0 }, '"params.options.learningRate" must be above 0: it is 0'],
  ])("assertParams() says what of a task of kind %s with %j does not fit", (kind, options, message) => {
    const rejected = () => check(kind, withOption(kind, options));
    expect(rejected).toThrow(`Cannot run a task of kind "${kind}" as its parameters must fit: ${message}`);
    expect(rejected).toThrow(/let all machines have the same version of isthmus$/);
  });

  it.each([null, 3, "params", [], {}])("assertParams() refuses %j of every kind", (params) => {
    for (const kind of STUDY_TASKS.keys()) expect(() => check(kind, params)).toThrow(InputError);
  });

  it("assertParams() refuses networks that the zoo does not have, and digests of another form", () => {
    const params = firstOf("train").params as { readonly network: object };
    const network = (change: object) => () =>
      check("train", { ...params, network: { ...params.network, ...change } });
    expect(network({ net: "mlp:99999999" })).toThrow(
      /"params.network.net" must name a network of the zoo: Cannot/,
    );
    expect(network({ net: "../models/x" })).toThrow(/"params.network.net" must name a network of the zoo/);
    expect(network({ graph: "0" })).toThrow(
      /"params.network.graph" must be 32 hexadecimal digits: it is "0"/,
    );
  });

  it.each(["barrier", "layers", "landscape"])(
    "a task of kind %s takes a loss, and no name of none",
    (kind) => {
      const { params } = firstOf(kind);
      const outputs = { head: "cross-entropy", box: { loss: "mean-squared-error", targets: "y", weight: 2 } };
      for (const loss of ["mean-absolute-error", outputs])
        expect(() => check(kind, { ...params, loss })).not.toThrow();
      for (const loss of ["hinge", {}, { head: { loss: "cross-entropy", weight: 0 } }]) {
        expect(() => check(kind, { ...params, loss })).toThrow(
          /"params.loss.*must be cross-entropy, .*none, or one of these/,
        );
      }
    },
  );

  it("assertParams() lists a few problems, and counts the others", () => {
    const params = { ...firstOf("match").params, a: 1, b: 2, c: 3, d: 4, e: 5, f: 6 };
    expect(() => check("match", params)).toThrow(/unknown key "d"; [^;]*, and 2 more; let all/);
  });
});
