/**
 * Times a step of learned alignment against a training step (Adam) of the same graph on the same batch, in turns, and the parts
 * of the learned step: mixing B and averaging it with A, the gradients, their products with weights, and the step of the group.
 *
 *   npx tsx --conditions=@isthmus/source packages/weight-matching/bench/learned-step.bench.ts \
 *     --a s0.safetensors --b s1.safetensors --graph graph.onnx --data fashion-mnist:train --batch 64
 *   npx tsx --conditions=@isthmus/source packages/weight-matching/bench/learned-step.bench.ts \
 *     --a shakespeare-gpt/s0 --b shakespeare-gpt/s1 --data text:shakespeare.txt:train --batch 16
 *
 * Options: --rounds N, --examples N. Standard output: one JSON object; milliseconds are medians, `least` the least of all rounds,
 * which says more on a machine that others use, too. `ratio` is the median of the ratios of neighbouring steps.
 */
import { loadavg } from "node:os";
import { parseArgs } from "node:util";
import { at, openCheckpoint } from "@isthmus/core";
import { openDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { bindArchitecture, limitExamples, planFeeds } from "@isthmus/graph";
import { discoverContinuous, discoverSymmetries, identityMixture } from "@isthmus/symmetry";
import { createStepRunner, createTrainingStep, lossOfData } from "@isthmus/training";
import { dataContext, fitToData, openSharedArchitecture, openTokenizer } from "@isthmus/zoo";
import { equalShares } from "../src/learned/learning/blend.ts";
import { changedWeights } from "../src/learned/learning/changed-weights.ts";
import { beginLearning } from "../src/learned/learning/learning.ts";
import { createMidpointMixer } from "../src/learned/learning/midpoint-mixer.ts";
import { createRowMultiplier } from "../src/learned/learning/row-products.ts";
import { createSoftMidpoint } from "../src/learned/learning/soft-midpoint.ts";
import { stepSpaces } from "../src/learned/learning/step-spaces.ts";
import { createStreamFrame } from "../src/learned/stream-frame.ts";

const { values: options } = parseArgs({
  options: {
    a: { type: "string" },
    b: { type: "string" },
    graph: { type: "string" },
    data: { type: "string", default: "fashion-mnist:train" },
    batch: { type: "string", default: "64" },
    rounds: { type: "string", default: "30" },
    examples: { type: "string", default: "3000" },
  },
});
const [batch, rounds] = [Number(options.batch), Number(options.rounds)];
const paths = [options.a ?? "", options.b ?? ""] as const;

const engine = createOnnxRuntimeEngine();
const read = await openSharedArchitecture(paths, engine, { graph: options.graph });
const { tokenizedBy, ...context } = dataContext(read);
const encode =
  tokenizedBy !== undefined && options.data.startsWith("text:")
    ? await openTokenizer(tokenizedBy)
    : undefined;
const all = await openDataSet(options.data, { encode, ...context });
const examples = limitExamples("time steps", all, Number(options.examples));
const checkpoints = await Promise.all(paths.map((path) => openCheckpoint(path)));
const { graph, networks: bound } = await bindArchitecture(fitToData(read, all), checkpoints, {
  unread: "keep",
});
const [one, two] = bound.map(({ network }) => network) as [
  (typeof bound)[0]["network"],
  (typeof bound)[0]["network"],
];

const { extents, feedsOf } = planFeeds("time steps", graph, examples, batch);
const step = await createTrainingStep(graph, engine, {
  ...{ batch, extents, loss: lossOfData(graph, examples), optimizer: { kind: "adam" } },
});
const runner = await createStepRunner(step, engine, one, { seed: 0 });
const { labels, ...inputs } = examples.read(0, batch);
const fed = new Map(feedsOf({ labels, ...inputs }));
if (step.targets !== step.examples) {
  const data = BigInt64Array.from(labels, (label) => BigInt(label));
  fed.set(step.targets, { dtype: "i64", shape: [batch], data });
}

const symmetries = await discoverSymmetries({ graph, engine });
const { linear, mixing } = await discoverContinuous({ graph, engine }, symmetries);
const frame = createStreamFrame(graph, { linear, mixing, exchanges: [] });
const architecture = { graph, engine, symmetries };
const pair = { architecture, frame, a: await frame.enter(one), b: await frame.enter(two) };
const withRespectTo = changedWeights(architecture, frame).map(({ name }) => name);
const midpoint = await createSoftMidpoint(architecture, [one, two], examples, {
  batchSize: batch,
  withRespectTo,
});
const between = (await createMidpointMixer(pair, { count: 2, movers: [1] })).of([pair.a, pair.b]);
const half = equalShares(2);
const multiplier = await createRowMultiplier(pair, midpoint.parameters);

const times = new Map<string, number[]>();
async function timed<T>(part: string, work: () => T | Promise<T>): Promise<T> {
  const began = performance.now();
  const result = await work();
  times.set(part, [...(times.get(part) ?? []), performance.now() - began]);
  return result;
}

let learning = beginLearning(frame, identityMixture(mixing.spaces));
async function learn(): Promise<void> {
  const { weights, networks } = await timed("mix", () => between([learning.current], half));
  const { gradients } = await timed("gradients", () => midpoint.step(weights, 0, half));
  const products = await timed("products", () => multiplier.multiply(gradients, at(networks, 0, "network")));
  learning = await timed("group", () => stepSpaces(frame, learning, products, { t: 1 / 2, rate: 1e-4 }));
}

/** Rounds that are not counted. */
const WARM_UP = 3;
for (let round = 0; round < WARM_UP + rounds; round++) {
  if (round === WARM_UP) times.clear();
  await timed("training", () => runner.run({ step: round, learningRate: 1e-6 }, fed));
  await timed("learned", learn);
}

const median = (list: readonly number[]): number =>
  list.toSorted((x, y) => x - y)[list.length >> 1] ?? Number.NaN;
const round = (ms: number): number => Number(ms.toFixed(2));
const [training = [], learned = []] = [times.get("training"), times.get("learned")];
const parts = [...times].filter(([part]) => part !== "training" && part !== "learned");
const summary = (of: (list: readonly number[]) => number) => ({
  training: round(of(training)),
  learned: round(of(learned)),
  parts: Object.fromEntries(parts.map(([part, list]) => [part, round(of(list))])),
});
const result = {
  graph: graph.name,
  batch,
  spaces: mixing.spaces.length,
  load: loadavg()[0],
  median: summary(median),
  least: summary((list) => Math.min(...list)),
  ratio: round(median(learned.map((ms, i) => ms / (training[i] ?? Number.NaN)))),
};
console.log(JSON.stringify(result));
process.exit();
