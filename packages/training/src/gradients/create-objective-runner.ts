import { at, createCheckpoint, InputError, type Tensor } from "@isthmus/core";
import {
  type Architecture,
  assertCausal,
  type BatchRange,
  type DataSet,
  type FeedPlan,
  type Graph,
  planFeeds,
  specialize,
} from "@isthmus/graph";
import { attachLoss } from "../loss/attach-loss.ts";
import { completeLoss } from "../loss/loss-of-data.ts";
import type { LossSpec } from "../loss/loss-spec.ts";
import type { Objective } from "../objective.ts";
import { createTargetFiller } from "../train/create-target-filler.ts";
import { type LoadedGraph, loadDerivedGraph } from "./load-derived-graph.ts";

/** A mean loss over some examples of a data set, for networks in inference mode. */
export interface MeanLoss extends Architecture {
  /** Action that messages name, such as `differentiate the loss`. */
  readonly attempt: string;
  /** Data set, of whose examples the first ones are read. */
  readonly data: DataSet;
  /**
   * Loss of an example; undefined for the loss that networks are evaluated by: cross-entropy, for texts of
   * the next token.
   */
  readonly loss: LossSpec | undefined;
  /** Number of examples, the first ones of the data. */
  readonly examples: number;
  /** Examples in one engine call. */
  readonly batchSize: number;
  /** Signal that stops the work between two batches; undefined if it cannot be stopped. */
  readonly signal: AbortSignal | undefined;
  /**
   * Number of batches whose results are used at once: results of earlier batches may be overwritten, so that
   * memory for so many is allocated once. @defaultValue nothing is overwritten
   */
  readonly heldBatches?: number | undefined;
  /**
   * Names of data inputs of the derived graphs that alone change from run to run: what does not depend on
   * them is computed once for each batch, if it takes little memory. All other tensors must be the same in
   * every run of a graph that has such inputs. @defaultValue none
   */
  readonly varying?: ReadonlySet<string>;
}

/** Values that a graph made of an objective computed on one batch. */
export interface ObjectiveOutcome {
  /** Outputs of the graph on the batch, by their names. */
  readonly results: ReadonlyMap<string, Tensor>;
  /** Objective that the graph was made of, with the names of its loss and metrics. */
  readonly objective: Objective;
  /** Number of the batch's examples, without the ones that only fill it up. */
  readonly count: number;
}

/** Runner of graphs that were made of an objective, on all examples, batch by batch. */
export interface ObjectiveRunner {
  /** Examples in each batch; the last one may have fewer. */
  readonly batchSize: number;
  /**
   * Runs one of the graphs on every batch, in order.
   * @param place - place of the graph in the list of graphs made
   * @param tensors - weights and further inputs; tensors that the graph does not take are left out
   * @param only - number of the only batch to run, from 0
   */
  run(
    place: number,
    tensors: ReadonlyMap<string, Tensor>,
    visit: (outcome: ObjectiveOutcome) => void,
    only?: number,
  ): Promise<void>;
  /** Frees the engine's sessions. */
  release(): Promise<void>;
}

/** Examples `begin` to `end` in batches of one size, and the graphs for that size. */
interface Part {
  readonly begin: number;
  readonly end: number;
  readonly batch: number;
  readonly plan: FeedPlan;
  readonly objective: Objective;
  readonly graphs: readonly LoadedGraph[];
}

/**
 * Prepares graphs that are made of a mean loss, such as its derivatives: for whole batches and, as shapes are
 * fixed, for the remaining examples. If the graph fixes the size of its batch, the last batch is filled up
 * instead, by examples of weight 0. Every example counts the same, however many of its positions count.
 *
 * @param derive - makes the graphs from the objective, whose graph has the loss as its only output
 * @throws InputError or MismatchError if the data do not fit the graph or the loss
 */
export async function createObjectiveRunner(
  mean: MeanLoss,
  derive: (objective: Objective) => readonly Graph[],
): Promise<ObjectiveRunner> {
  const { attempt, graph, data, batchSize, signal } = mean;
  const plan = planFeeds(attempt, graph, data, batchSize);
  const spec = mean.loss ?? completeLoss(attempt, { graph, data });
  // The first network shows whether the graph lets a position see the token that it is to predict.
  let isChecked = spec.kind !== "next-token";
  const parts: Part[] = [];
  const release = async () => {
    await Promise.all(parts.flatMap(({ graphs }) => graphs.map((loaded) => loaded.release())));
  };
  try {
    for (const range of rangesOf(mean, plan.fixedBatch))
      parts.push(await createPart({ ...mean, loss: spec }, plan, { range, derive }));
  } catch (error) {
    await release();
    throw error;
  }
  const size = at(parts, 0, "part").batch;
  return {
    batchSize: size,
    async run(place, tensors, visit, only) {
      if (!isChecked) await assertCausal(attempt, mean, createCheckpoint(tensors), data);
      isChecked = true;
      for (const part of parts) {
        const { names, hold, run: runGraph } = at(part.graphs, place, "graph");
        const taken = await hold(new Map([...tensors].filter(([name]) => names.has(name))));
        for (let begin = part.begin; begin < part.end; begin += part.batch) {
          if (only !== undefined && begin !== only * size) continue;
          signal?.throwIfAborted();
          const end = Math.min(begin + part.batch, part.end);
          const feeds = new Map([...taken, ...feedsOf(part, data, { begin, end })]);
          visit({ results: await runGraph(feeds, begin), objective: part.objective, count: end - begin });
        }
      }
    },
    release,
  };
}

/**
 * Divides the examples into whole batches and, as shapes are fixed, the remaining examples. If the graph
 * fixes the size of its batch, the last batch is filled up instead.
 */
function rangesOf(
  { examples, batchSize }: MeanLoss,
  fixed: number | undefined,
): Pick<Part, "begin" | "end" | "batch">[] {
  if (fixed !== undefined) return [{ begin: 0, end: examples, batch: fixed }];
  const batch = Math.min(batchSize, examples);
  const whole = examples - (examples % batch);
  return [
    { begin: 0, end: whole, batch },
    { begin: whole, end: examples, batch: examples - whole },
  ].filter(({ begin, end }) => begin < end);
}

async function createPart(
  mean: MeanLoss & { readonly loss: LossSpec },
  plan: FeedPlan,
  {
    range,
    derive,
  }: {
    readonly range: Pick<Part, "begin" | "end" | "batch">;
    readonly derive: (objective: Objective) => readonly Graph[];
  },
): Promise<Part> {
  const { graph, engine, loss, heldBatches, varying } = mean;
  const batches = Math.ceil((range.end - range.begin) / range.batch);
  const typed = await specialize({ graph, engine }, { batch: range.batch, extents: plan.extents });
  const isFilled = (range.end - range.begin) % range.batch > 0;
  const attached = attachLoss(typed, isFilled ? weighted(loss, mean, range.batch) : loss);
  const outputs = attached.graph.outputs.filter(({ name }) => name === attached.loss);
  const objective = { ...attached, graph: { ...attached.graph, outputs } };
  const graphs: LoadedGraph[] = [];
  try {
    for (const derived of derive(objective)) {
      graphs.push(await loadDerivedGraph(engine, derived, { heldBatches, varying, batches }));
    }
  } catch (error) {
    await Promise.all(graphs.map((loaded) => loaded.release()));
    throw error;
  }
  return { ...range, plan, objective, graphs };
}

/** Returns the weighted form of a loss, by which examples that only fill up a batch can be left out. */
function weighted(loss: LossSpec, { attempt, data: { name } }: MeanLoss, batch: number): LossSpec {
  if (loss.kind === "cross-entropy" || loss.kind === "next-token") return { ...loss, weighted: true };
  throw new InputError(
    `Cannot ${attempt} on "${name}" as the graph takes batches of ${batch}, and of a loss of kind ${loss.kind} no examples can be left out: take a multiple of ${batch} examples`,
    { input: name },
  );
}

function feedsOf(
  { plan, objective, batch: rows }: Part,
  data: DataSet,
  range: BatchRange,
): Map<string, Tensor> {
  const { feeds, batch } = plan.read(range);
  const step = { ...objective, batch: rows, targets: objective.targets.name };
  // As in the evaluation of networks, every example counts the same, however many of its positions count.
  const filler = createTargetFiller(step, batch, { classes: data.classes, data, weighting: "examples" });
  filler.fill();
  return new Map([...feeds, ...filler.feeds]);
}
