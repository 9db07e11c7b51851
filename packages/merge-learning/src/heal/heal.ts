import {
  at,
  type Checkpoint,
  matchesAny,
  resolveFields,
  sameShape,
  sizeOf,
  withTensors,
} from "@isthmus/core";
import { joinExamples } from "@isthmus/data";
import { createEvaluator, type DataSet, type Graph, limitExamples, type WeightInfo } from "@isthmus/graph";
import { countBatchNorms, recalibrateBatchNorm, STATISTICS_EXAMPLES } from "@isthmus/statistics";
import { distill, measureTeaching, type Teacher, type TrainOptions } from "@isthmus/training";
import { HEAL_FIELDS, type HealRules } from "./heal-fields.ts";
import type { Healed, HealedExpert, HealResult, Standing } from "./heal-result.ts";
import type { Healing, HealingExpert } from "./open-healing.ts";

/** Options of {@link heal}. */
export interface HealOptions
  extends HealRules,
    Pick<TrainOptions, "statePath" | "resume" | "collect" | "signal" | "onProgress"> {
  /** Called with the name of each part of the work when it begins. @defaultValue not called */
  readonly onStage?: ((stage: string) => void) | undefined;
}

/** Most examples of an expert that are measured on if no examples are named for that. */
const MEASURED = 256;

/** The network at a time of the healing: the merged one, or the healed one. */
interface Patient {
  readonly engine: HealingExpert["architecture"]["engine"];
  readonly network: Checkpoint;
}

/**
 * Heals a merged network that lost too much: trains it for some steps on the outputs of the experts that it
 * was merged from, each on its own examples, without labels.
 *
 * Weights that experts share learn from all of them, a head from its own expert. Statistics of batch norms
 * are measured anew at the end, on examples of all experts.
 * @see Hinton, Vinyals and Dean, Distilling the knowledge in a neural network, 2015
 * @throws OutOfRangeError if an option is out of its range, or a pattern matches no parameter
 * @throws InputError, MismatchError, UnsupportedError, FormatError, DivergenceError, EngineError, UsageError,
 *   DOMException as `distill` of `@isthmus/training`
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { openCheckpoint } from "@isthmus/core";
 * import { createOnnxRuntimeEngine } from "@isthmus/engine";
 * import { average } from "@isthmus/interpolation";
 * import { heal, openHealing } from "@isthmus/merge-learning";
 *
 * const paths = ["examples/mnist-mlp/s0.safetensors", "examples/mnist-mlp/s1.safetensors"];
 * const networks = await Promise.all(paths.map((path) => openCheckpoint(path)));
 * const healing = await openHealing({
 *   merged: { path: "merged.safetensors", checkpoint: average(networks) },
 *   experts: networks.map((checkpoint, i) => ({ path: paths[i] ?? "", checkpoint })),
 *   data: ["mnist:train@50"], // for both experts
 *   evalData: ["mnist:test@50"],
 *   graphs: ["examples/mnist-mlp/graph.onnx"],
 *   engine: createOnnxRuntimeEngine(),
 * });
 * const { weights, result } = await heal(healing, { steps: 3 });
 * assert.equal(result.steps, 3);
 * assert.equal(weights.tensors.size, networks[0]?.tensors.size);
 * await Promise.all(networks.map((network) => network.close()));
 * ```
 */
export async function heal(healing: Healing, options: HealOptions = {}): Promise<Healed> {
  const { statePath, resume, collect, signal, onProgress, onStage, ...rules } = resolveFields(
    "heal",
    HEAL_FIELDS,
    options,
    {
      statePath: undefined as HealOptions["statePath"],
      resume: false as boolean | undefined,
      collect: undefined as HealOptions["collect"],
      signal: undefined as HealOptions["signal"],
      onProgress: undefined as HealOptions["onProgress"],
      onStage: undefined as HealOptions["onStage"],
    },
  );
  const { network, experts, path } = healing;
  const { engine } = at(experts, 0, "expert").architecture;
  const measured = { ...rules, signal };
  const before: Standing[] = [];
  const expertLosses: (number | undefined)[] = [];
  onStage?.("Measuring the merged network");
  for (const expert of experts) {
    before.push(await standingOf({ engine, network }, expert, measured));
    const graph = expert.ownGraph ?? expert.architecture.graph;
    expertLosses.push(await lossOf(expert, { graph, network: expert.weights }, measured));
  }
  const { optimizer: kind, learningRate, ...kept } = rules;
  const teachers = experts.map((expert) => teacherOf(expert, expert.data));
  const distilled = await distill(engine, network, teachers, {
    ...kept,
    optimizer: kind === "sgd" ? { kind, momentum: 0.9 } : { kind },
    schedule: { kind: "cosine", learningRate },
    saveEvery: statePath === undefined ? 0 : kept.saveEvery,
    statePath,
    resume: resume ?? false,
    collect,
    signal,
    onProgress,
  });
  onStage?.("Measuring the healed network");
  const trained = await inTypesOf(network, distilled.weights);
  const recalibrated = await recalibrate(trained, experts, measured);
  const healed = recalibrated ?? trained;
  const standings: HealedExpert[] = [];
  for (const [i, expert] of experts.entries()) {
    const expertLoss = expertLosses[i];
    standings.push({
      expert: expert.path,
      data: expert.data.name,
      measuredOn: measuredOf(expert).name,
      ...(expertLoss !== undefined && { expertLoss }),
      before: at(before, i, "standing"),
      after: await standingOf({ engine, network: healed }, expert, measured),
    });
  }
  const { steps, resumedAt, loss, seconds } = distilled;
  const result: HealResult = {
    network: path,
    steps,
    resumedAt,
    loss,
    parameters: countParameters(experts, rules),
    recalibrated: recalibrated !== undefined,
    seconds,
    experts: standings,
  };
  return { weights: healing.restore(healed), result };
}

/** Returns a network with trained weights in the element types that it has, and with its other tensors. */
async function inTypesOf(network: Checkpoint, trained: Checkpoint): Promise<Checkpoint> {
  const names = [...trained.tensors.keys()];
  const tensors = await Promise.all(names.map(async (name) => [name, await trained.read(name)] as const));
  return withTensors(network, new Map(tensors));
}

/** Options of a measurement. */
type Measuring = Pick<HealRules, "batch" | "temperature" | "threads"> & Pick<HealOptions, "signal">;

const teacherOf = ({ architecture, ownGraph, weights }: HealingExpert, data: DataSet): Teacher => ({
  graph: architecture.graph,
  ownGraph,
  weights,
  data,
});

const measuredOf = ({ data, evaluationData }: HealingExpert): DataSet =>
  evaluationData ?? limitExamples("heal", data, Math.min(MEASURED, data.size));

async function standingOf(
  { engine, network }: Patient,
  expert: HealingExpert,
  { batch, threads = 0, signal }: Measuring,
): Promise<Standing> {
  const { graph } = expert.architecture;
  const teacher = teacherOf(expert, measuredOf(expert));
  const distance = await measureTeaching(engine, network, teacher, { batch, threads, signal });
  const loss = await lossOf(expert, { graph, network }, { batch, threads, signal });
  return { ...distance, ...(loss !== undefined && { loss }) };
}

/** Measures the loss of a network against the labels of an expert's examples; undefined without labels. */
async function lossOf(
  expert: HealingExpert,
  { graph, network }: { readonly graph: Graph; readonly network: Checkpoint },
  { batch, threads = 0, signal }: Measuring,
): Promise<number | undefined> {
  const data = measuredOf(expert);
  if (data.labelling === "none" && data.targets === undefined) return undefined;
  const options = { threads, ...(batch !== undefined && { batchSize: batch }) };
  const evaluator = await createEvaluator({ ...expert.architecture, graph }, data, options);
  try {
    return (await evaluator.evaluate(network, signal)).loss;
  } finally {
    await evaluator.release();
  }
}

/**
 * Measures the statistics of batch norms on examples of all experts; undefined if there are no norms, or
 * examples of several forms, whose norms keep the averages of the training.
 */
async function recalibrate(
  network: Checkpoint,
  experts: readonly HealingExpert[],
  { threads = 0, signal }: Measuring,
): Promise<Checkpoint | undefined> {
  const { architecture, data } = at(experts, 0, "expert");
  if (countBatchNorms(architecture.graph) === 0) return undefined;
  if (experts.some((expert) => !sameShape(expert.data.exampleShape, data.exampleShape))) return undefined;
  const share = Math.ceil(STATISTICS_EXAMPLES / experts.length);
  const parts = experts.map((expert) => limitExamples("heal", expert.data, share));
  const joined = joinExamples(parts, "examples of all experts");
  return recalibrateBatchNorm(architecture, network, joined, { threads, signal });
}

/** Counts the parameters of all graphs, and the ones that learn. */
function countParameters(
  experts: readonly HealingExpert[],
  { only, freeze }: Required<Pick<HealRules, "only" | "freeze">>,
): HealResult["parameters"] {
  const weights = new Map<string, WeightInfo>(
    experts.flatMap(({ architecture }) => [...architecture.graph.weights]),
  );
  const parameters = [...weights].filter(([, { role }]) => role === "parameter");
  const count = (list: typeof parameters) => list.reduce((sum, [, { shape }]) => sum + sizeOf(shape), 0);
  const learns = (name: string) => !matchesAny(freeze, name) && (only.length === 0 || matchesAny(only, name));
  return { all: count(parameters), learned: count(parameters.filter(([name]) => learns(name))) };
}
