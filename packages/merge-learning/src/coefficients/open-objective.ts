import { gradient, lowerBatchNorm } from "@isthmus/autodiff";
import { type Checkpoint, DTYPES, entry, type Tensor, UnsupportedError, UsageError } from "@isthmus/core";
import {
  type Architecture,
  assertCausal,
  bindWeights,
  createFeedHolder,
  type DataSet,
  extractSubgraph,
  type Graph,
  isElementwise,
  planFeeds,
  softmaxInto,
  specialize,
} from "@isthmus/graph";
import { gradientName } from "@isthmus/graph/ir";
import {
  attachEntropy,
  attachLoss,
  attachSoftTargets,
  createBatches,
  createTargetFiller,
  lossOfData,
  TRAIN_DEFAULTS,
  taughtLoss,
} from "@isthmus/training";
import type { GradientObjective } from "./tune-merge-options.ts";

const ATTEMPT = "learn the weights of a merge";

/** Objective on one data set by which a merged network is judged, with the gradient by its weights. */
export interface OpenedObjective {
  /** Number of examples in a step. */
  readonly batch: number;
  /** Weights by which gradients are taken, by the graph's names. */
  readonly parameters: readonly string[];
  /** Computes the objective on the batch of a step, from 0, and its gradients by parameter. */
  step(
    weights: ReadonlyMap<string, Tensor>,
    step: number,
  ): Promise<{ readonly loss: number; readonly gradients: ReadonlyMap<string, Float32Array> }>;
  /** Frees the sessions of the engine. */
  release(): Promise<void>;
}

/** Data of a task, and what decides the order of its examples. */
export interface ObjectiveData {
  /** Kind of the objective. */
  readonly objective: GradientObjective;
  /** Examples of the task. */
  readonly data: DataSet;
  /** The merged network at the start, under the graph's names. */
  readonly network: Checkpoint;
  /** Network whose outputs are to be reproduced, under the graph's names; undefined unless it is needed. */
  readonly expert: Checkpoint | undefined;
  /** Names of the graph's weights by which gradients are wanted. */
  readonly wanted: ReadonlySet<string>;
  /** Most examples in a step. */
  readonly batch: number;
  /** Seed of the order of the examples. */
  readonly seed: number;
}

/** A graph whose only loss is differentiated, and the feeds that it needs beside examples. */
interface Attached {
  readonly graph: Graph;
  readonly loss: string;
  /** Returns the feeds beside the examples, and a number to subtract from the loss. */
  readonly feed: () => Promise<{ readonly feeds: ReadonlyMap<string, Tensor>; readonly offset: number }>;
  readonly release: () => Promise<void>;
}

/**
 * Prepares what networks are judged by on one data set: examples in a seeded order, norms with their running
 * statistics, no dropout.
 * @throws InputError or MismatchError if the data do not fit the graph or the objective
 * @throws UnsupportedError if an operator has no gradient rule
 */
export async function openObjective(
  { graph, engine }: Architecture,
  task: ObjectiveData,
): Promise<OpenedObjective> {
  const { data, wanted, seed } = task;
  const plan = planFeeds(ATTEMPT, graph, data, task.batch);
  const batch = plan.fixedBatch ?? Math.min(task.batch, data.size);
  const typed = await specialize({ graph, engine }, { batch, extents: plan.extents });
  const batches = createBatches(data, { seed, batch, remainder: "carry", augment: TRAIN_DEFAULTS.augment });
  const feedsOf = () => plan.feedsOf(batches.current);
  const attached = await attach({ graph, engine }, typed, { ...task, batch, batches, feedsOf });
  const release = async () => attached.release();
  try {
    const parameters = [...graph.weights]
      .filter(([name, { role, dtype }]) => wanted.has(name) && role === "parameter" && DTYPES[dtype].float)
      .map(([name]) => name);
    const { loss } = attached;
    const scored = { ...attached.graph, outputs: [{ name: loss }] };
    const differentiated = gradient(scored, { loss, withRespectTo: parameters });
    const session = await engine.load(lowerBatchNorm(differentiated));
    const hold = createFeedHolder(session);
    return {
      batch,
      parameters,
      async step(weights, step) {
        batches.fill(step);
        const { feeds, offset } = await attached.feed();
        const held = await hold(weights);
        const results = await session.run(new Map([...held, ...feedsOf(), ...feeds]));
        const gradients = parameters.flatMap((name): [string, Float32Array][] => {
          const result = results.get(gradientName(loss, name));
          return result === undefined ? [] : [[name, result.data as Float32Array]];
        });
        const value = Number(entry(results, loss, "loss").data[0]);
        return { loss: value - offset, gradients: new Map(gradients) };
      },
      async release() {
        await session.release();
        await release();
      },
    };
  } catch (error) {
    await release();
    throw error;
  }
}

interface Attaching extends ObjectiveData {
  readonly batches: ReturnType<typeof createBatches>;
  readonly feedsOf: () => ReadonlyMap<string, Tensor>;
}

const NOTHING = { feeds: new Map<string, Tensor>(), offset: 0 };

async function attach({ graph, engine }: Architecture, typed: Graph, task: Attaching): Promise<Attached> {
  if (task.objective === "entropy") {
    assertClasses(graph, task.data);
    return { ...attachEntropy(typed), feed: async () => NOTHING, release: async () => {} };
  }
  if (task.objective === "distillation") return attachExpert({ graph, engine }, typed, task);
  const { data, network, batch, batches } = task;
  const spec = lossOfData(graph, data);
  if (spec.kind === "next-token") await assertCausal(ATTEMPT, { graph, engine }, network, data);
  const objective = attachLoss(typed, spec);
  const step = { ...objective, batch, targets: objective.targets.name };
  const rules = { classes: data.classes, data, weighting: "examples" } as const;
  const filler = createTargetFiller(step, batches.current, rules);
  return {
    graph: objective.graph,
    loss: objective.loss,
    async feed() {
      filler.fill();
      return { feeds: filler.feeds, offset: 0 };
    },
    release: async () => {},
  };
}

/** Checks that outputs are logits. @throws UnsupportedError if they are numbers, which have no entropy */
function assertClasses(graph: Graph, data: DataSet): void {
  if (!isElementwise(taughtLoss(graph, data, 1).of.kind)) return;
  throw new UnsupportedError(
    `Cannot ${ATTEMPT} by the entropy of predictions as graph "${graph.name}" must have logits of classes: on "${data.name}" its output is numbers; choose the objective distillation, output-space, or loss`,
    { feature: "entropy of numbers" },
  );
}

/**
 * Adds the divergence of a network's predictions from the expert's, `KL(expert || network)`, in nats, or the
 * mean squared error of outputs that are numbers. The expert is run on every batch.
 */
async function attachExpert(
  { graph, engine }: Architecture,
  typed: Graph,
  { data, expert, feedsOf }: Attaching,
): Promise<Attached> {
  const areNumbers = isElementwise(taughtLoss(graph, data, 1).of.kind);
  const soft = attachSoftTargets(typed, areNumbers);
  if (expert === undefined) {
    throw new UsageError(
      `Cannot learn from an expert's outputs on "${data.name}" as an expert must be given: there is none`,
    );
  }
  const session = await engine.load(lowerBatchNorm(extractSubgraph(soft.graph, [], [soft.logits])));
  const weights = await bindWeights(graph, expert);
  const classes = soft.shape.at(-1) ?? 1;
  return {
    graph: soft.graph,
    loss: soft.loss,
    async feed() {
      const results = await session.run(new Map([...weights, ...feedsOf()]));
      const { data: values, shape } = entry(results, soft.logits, "output");
      if (areNumbers) {
        const numbers: Tensor = { dtype: "f32", shape, data: Float32Array.from(values as Float32Array) };
        return { feeds: new Map([[soft.targets, numbers]]), offset: 0 };
      }
      const shares = softmaxInto(values as Float32Array, classes, new Float64Array(values.length));
      let entropy = 0;
      for (const share of shares) if (share > 0) entropy -= share * Math.log(share);
      const probabilities: Tensor = { dtype: "f32", shape, data: Float32Array.from(shares) };
      const offset = entropy / (values.length / classes);
      return { feeds: new Map([[soft.targets, probabilities]]), offset };
    },
    release: () => session.release(),
  };
}
