import { OutOfRangeError } from "@isthmus/core";
import {
  type DataSet,
  fingerprintData,
  fingerprintGraph,
  fingerprintWeights,
  limitExamples,
} from "@isthmus/graph";
import { createProducts, type MatrixProducts } from "@isthmus/linear-algebra";
import { type Journal, openJournal } from "@isthmus/tasks";
import { createBlockCka } from "./measures/block-cka.ts";
import { createCkaStream } from "./measures/cka-stream.ts";
import { SIMILARITY_NUMBERS, type SimilarityNumber } from "./measures/measure.ts";
import { type ComparedSides, openMeasure } from "./measures/open-measure.ts";
import {
  ATTEMPT,
  assertSampleCount,
  type MeasureSimilarityOptions,
  resolveSimilarityOptions,
  type SimilarityMeasure,
} from "./similarity-options.ts";
import type { ComparedLayer, SimilarityResult } from "./similarity-result.ts";
import { holdRepresentations } from "./values/hold-representations.ts";
import {
  type ComparedNetwork,
  type PlannedNetwork,
  planLayers,
  type SimilarityPlan,
} from "./values/plan-layers.ts";
import { visitRows } from "./values/visit-rows.ts";

type Table = readonly (readonly (number | null)[])[];

/** Context of a measurement. */
interface Task extends SimilarityPlan {
  readonly data: DataSet;
  readonly options: Required<MeasureSimilarityOptions>;
  readonly samples: number;
  readonly stride: number;
  readonly products: MatrixProducts;
  readonly journal: Journal;
}

/** Largest number of samples: a kernel of more samples would take more than 2 GiB. */
const MOST_SAMPLES = 16384;

/**
 * Measures the similarity of the representations of two networks: every layer of A with every layer of B, by
 * linear and RBF CKA, SVCCA, orthogonal Procrustes analysis and relative representations.
 *
 * All of these measures are invariant to permutations and rotations of the features of a layer, and to
 * scaling all features by one factor, so that aligning the networks first changes nothing. All but SVCCA
 * change if features are scaled one by one, as is possible for units before a ReLU: use `canonicalize` of
 * `@isthmus/weight-matching` first. PWCCA changes if features are rotated or mixed, but not if they are
 * permuted.
 *
 * Linear CKA of layers with at most as many features as samples is streamed: memory does not grow with the
 * number of samples if nothing else is measured.
 *
 * With a `journalPath`, a measurement that was killed resumes with the unfinished layer, and gives the same
 * numbers.
 * @param a - a graph, its engine, and its network
 * @param b - a network of the same graph, or of another graph that takes the same data
 * @throws InputError if the data do not fit a graph, or activations are not f32 and finite
 * @throws MismatchError if a checkpoint does not fit its graph, or the journal is of another measurement
 * @throws OutOfRangeError if an option is out of range, or `values` matches no value, or there are too few
 *   samples
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createOnnxRuntimeEngine, measureSimilarity, openArchitecture } from "isthmus";
 * import { openCheckpoint, openDataSet } from "isthmus";
 *
 * const architecture = await openArchitecture("examples/mnist-mlp/graph.onnx", createOnnxRuntimeEngine());
 * const a = await openCheckpoint("examples/mnist-mlp/s0.safetensors");
 * const b = await openCheckpoint("examples/mnist-mlp/s1.safetensors");
 * const data = await openDataSet("mnist:test@200");
 * const [one, other] = [{ ...architecture, network: a }, { ...architecture, network: b }];
 * const { layersA, tables } = await measureSimilarity(one, other, data, { measures: ["linear-cka"] });
 * assert.deepEqual(layersA.map(({ label }) => label), ["Relu", "Relu_1", "Relu_2", "logits"]);
 * const [first] = tables[0]?.values ?? [];
 * // Layers of one depth are most alike.
 * assert((first?.[0] ?? 0) > 0.9 && (first?.[0] ?? 0) > (first?.[2] ?? 1));
 * await a.close();
 * await b.close();
 * ```
 */
export async function measureSimilarity(
  a: ComparedNetwork,
  b: ComparedNetwork,
  data: DataSet,
  options: MeasureSimilarityOptions = {},
): Promise<SimilarityResult> {
  const resolved = resolveSimilarityOptions(options);
  const { values, positions, examples } = resolved;
  const limited = examples === 0 ? data : limitExamples(ATTEMPT, data, examples);
  const plan = await planLayers([a, b], limited, { values, positions });
  const total = plan.rows * limited.size;
  const stride = resolved.samples === 0 ? 1 : Math.ceil(total / resolved.samples);
  const journal = await openJournal(
    resolved.journalPath,
    resolved.journalPath === undefined ? {} : await describeRun([a, b], limited, { stride, resolved }),
  );
  const products = createProducts(a.engine);
  try {
    const task = { ...plan, data: limited, options: resolved, stride, products, journal };
    return await measure({ ...task, samples: Math.ceil(total / stride) });
  } finally {
    await products.release();
  }
}

/** Describes all inputs that decide the numbers of a measure. */
async function describeRun(
  networks: readonly ComparedNetwork[],
  data: DataSet,
  { stride, resolved }: { readonly stride: number; readonly resolved: Task["options"] },
): Promise<Record<string, string | number>> {
  const run: Record<string, string | number> = { data: fingerprintData(data), stride };
  for (const [index, { graph, network, engine }] of networks.entries()) {
    const letter = index === 0 ? "a" : "b";
    run[`graph of ${letter}`] = fingerprintGraph(graph);
    run[`weights of ${letter}`] = await fingerprintWeights(graph, network);
    run[`engine of ${letter}`] = engine.name;
  }
  const { values = [], positions, estimator, block, batchSize } = resolved;
  const { bandwidth, variance, anchors, neighbours, seed } = resolved;
  const settings = { bandwidth, variance, anchors, neighbours, seed };
  return { ...run, values: values.join(" "), positions, estimator, block, batchSize, ...settings };
}

async function measure(task: Task): Promise<SimilarityResult> {
  const { networks, choice, samples, data, options } = task;
  const { estimator, block, bandwidth, variance, anchors, neighbours, seed } = options;
  assertSampleCount(options, samples);
  const streamed = streamedMeasures(task);
  const tables = new Map<SimilarityNumber, Table>(streamed.length > 0 ? await stream(task, streamed) : []);
  const others = options.measures.filter((name) => !streamed.includes(name));
  if (others.length > 0) for (const [name, table] of await compareHeld(task, others)) tables.set(name, table);
  const [a, b] = networks;
  return {
    kind: "similarity",
    a: a.network.source,
    b: b.network.source,
    layersA: describe(a),
    layersB: describe(b),
    tables: SIMILARITY_NUMBERS.flatMap((number) => {
      const table = tables.get(number);
      return table === undefined ? [] : [{ number, values: table }];
    }),
    positions: choice,
    samples,
    estimator,
    ...(estimator === "minibatch" ? { block } : {}),
    bandwidth,
    variance,
    anchors: Math.min(anchors, Math.floor(samples / 2)),
    neighbours,
    examples: data.size,
    data: data.name,
    seed,
    engine: a.engine.name,
  };
}

const describe = ({ layers }: PlannedNetwork): ComparedLayer[] =>
  layers.map(({ name, label, columns }) => ({ name, label, features: columns }));

/** Lists the measures that are computed batch by batch: CKA from blocks, and linear CKA of narrow layers. */
function streamedMeasures({ networks, samples, options }: Task): SimilarityMeasure[] {
  const isNarrow = networks.every(({ layers }) => layers.every(({ columns }) => columns <= samples));
  return options.measures.filter((name) => {
    if (name === "linear-cka") return isNarrow || options.estimator === "minibatch";
    return name === "rbf-cka" && options.estimator === "minibatch";
  });
}

async function stream(
  task: Task,
  measures: readonly SimilarityMeasure[],
): Promise<ReadonlyMap<SimilarityNumber, Table>> {
  const { networks, data, options, products } = task;
  const { estimator, block, bandwidth } = options;
  const share = measures.length === options.measures.length ? 1 : SHARES.streamed;
  const visit = (use: Parameters<typeof visitRows>[3]) =>
    visitRows(networks, data, { ...visitOptions(task), onProgress: announce(task, 0, share) }, use);
  if (estimator === "minibatch") {
    const kernels = (["linear-cka", "rbf-cka"] as const).filter((name) => measures.includes(name));
    const blocks = createBlockCka({ block, bandwidth, kernels, products });
    await visit(async ([left = [], right = []]) => blocks.add(left, right));
    return blocks.result();
  }
  const cka = createCkaStream({ estimator, products });
  await visit(async ([left = [], right = []]) => cka.add(left, right));
  return new Map([["linear-cka", cka.result()]]);
}

/** Shares of the work at the end of each stage. */
const SHARES = { streamed: 0.2, a: 0.3, b: 0.4 };

async function compareHeld(
  task: Task,
  measures: readonly SimilarityMeasure[],
): Promise<Map<SimilarityNumber, Table>> {
  const { networks, data, options, samples, products, journal } = task;
  if (samples > MOST_SAMPLES) {
    throw new OutOfRangeError(
      `Cannot ${ATTEMPT} by ${measures.join(", ")} as products of every two samples must fit into memory, of at most ${MOST_SAMPLES} samples: there are ${samples}; take fewer samples, or linear-cka by minibatch, which is streamed`,
    );
  }
  const [a, b] = networks;
  const hold = (network: PlannedNetwork, from: number, to: number) =>
    holdRepresentations(network, data, {
      ...visitOptions(task),
      samples,
      products,
      onProgress: announce(task, from, to),
    });
  let held: ReturnType<ComparedSides["hold"]> | undefined;
  const holdBoth = async () => ({
    left: await hold(a, SHARES.streamed, SHARES.a),
    right: await hold(b, SHARES.a, SHARES.b),
  });
  const sides: ComparedSides = {
    counts: { left: a.layers.length, right: b.layers.length },
    hold() {
      held ??= holdBoth();
      return held;
    },
  };
  const pairs = measures.length * sides.counts.left * sides.counts.right;
  let compared = 0;
  const tables = new Map<SimilarityNumber, Table>();
  for (const name of measures) {
    const rows = await openMeasure(name, options)(sides, journal, () => {
      options.signal?.throwIfAborted();
      compared += 1;
      const done = SHARES.b + ((1 - SHARES.b) * compared) / pairs;
      options.onProgress?.({ done, stage: "comparison" });
    });
    for (const number of SIMILARITY_NUMBERS) {
      if (rows[0]?.[0]?.[number] === undefined) continue;
      tables.set(
        number,
        rows.map((row) => row.map((numbers) => numbers[number] ?? null)),
      );
    }
  }
  return tables;
}

function visitOptions({ choice, stride, options: { batchSize, signal } }: Task) {
  return { choice, stride, batchSize, signal };
}

/** Returns a function that announces the progress over examples as progress of the whole measurement. */
function announce({ options: { onProgress } }: Task, from: number, to: number) {
  return ({ done }: { readonly done: number }) =>
    onProgress?.({ done: from + (to - from) * done, stage: "activations" });
}
