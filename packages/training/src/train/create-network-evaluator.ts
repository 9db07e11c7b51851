import { at, createCheckpoint, entry, InputError, type Tensor } from "@isthmus/core";
import {
  createEvaluator,
  type DataSet,
  type Engine,
  type FeedPlan,
  type Graph,
  holdFeeds,
  isElementwise,
  planFeeds,
  scoreBy,
  scoreOutput,
  specialize,
} from "@isthmus/graph";
import { attachLoss } from "../loss/attach-loss.ts";
import type { LossSpec } from "../loss/loss-spec.ts";
import { feedObjective } from "./feed-objective.ts";
import type { EvaluationResult } from "./train-result.ts";

/** An evaluator of networks of one architecture by the loss they are trained with. */
export interface NetworkEvaluator {
  /**
   * Evaluates a network on the whole data set.
   * @throws DOMException named AbortError if `signal` is aborted
   */
  evaluate(weights: ReadonlyMap<string, Tensor>, signal?: AbortSignal): Promise<EvaluationResult>;
  /** Frees the engine's sessions. */
  release(): Promise<void>;
}

/** An architecture, and the data and the loss to evaluate its networks by. */
export interface NetworkEvaluation {
  /** Graph of the networks, for inference. */
  readonly graph: Graph;
  /** Engine that runs the graph. */
  readonly engine: Engine;
  /** Examples that networks are evaluated on, all of them. */
  readonly data: DataSet;
  /** Loss that is measured; its label smoothing does not count. */
  readonly loss: LossSpec;
  /** Examples in one engine call; the last may have fewer. */
  readonly batch: number;
  /** Threads of the engine; 0 lets it choose. */
  readonly threads: number;
}

/**
 * Prepares the evaluation of networks in inference mode, which is without dropout and with the running
 * statistics of norms, and without label smoothing.
 * @throws InputError if the data do not fit the graph
 */
export async function createNetworkEvaluator(evaluation: NetworkEvaluation): Promise<NetworkEvaluator> {
  const { graph, engine, data, loss, batch, threads } = evaluation;
  // Squared errors are computed in f32 from batches, as training does.
  if (loss.kind === "output" || loss.kind === "mean-squared-error")
    return createObjectiveEvaluator(evaluation);
  const { kind } = loss;
  const name = "logits" in loss ? loss.logits : "prediction" in loss ? loss.prediction : undefined;
  const named = name === undefined ? graph : scoreOutput(graph, name);
  const isNamed = isElementwise(kind) || graph.loss !== undefined;
  const scored = kind === "several" ? scoreBy(graph, loss.outputs) : isNamed ? scoreBy(named, kind) : named;
  // Logits of texts are large: larger batches would take too much memory.
  const options = { threads, ...(kind === "next-token" ? { batchSize: batch } : {}) };
  const evaluator = await createEvaluator({ graph: scored, engine }, data, options);
  return {
    async evaluate(weights, signal) {
      const { loss: mean, error } = await evaluator.evaluate(createCheckpoint(weights), signal);
      return { loss: mean, ...(!Number.isNaN(error) && { accuracy: 1 - error }) };
    },
    release: () => evaluator.release(),
  };
}

/** Examples `begin` to `end` of the data set, which are evaluated by batches of one size. */
interface Part {
  readonly begin: number;
  readonly end: number;
  readonly batch: number;
  /** Gives the session the weights of a network, and returns what of them each run must be fed. */
  hold(weights: ReadonlyMap<string, Tensor>): Promise<ReadonlyMap<string, Tensor>>;
  /** Returns the mean loss of the batch that begins at an example. */
  run(held: ReadonlyMap<string, Tensor>, first: number): Promise<number>;
  release(): Promise<void>;
}

/**
 * Prepares the evaluation by the loss as training computes it: whole batches in one session and, as shapes
 * are fixed, the remaining examples in another.
 */
async function createObjectiveEvaluator(evaluation: NetworkEvaluation): Promise<NetworkEvaluator> {
  const { size } = evaluation.data;
  const plan = planFeeds("evaluate", evaluation.graph, evaluation.data, evaluation.batch);
  const batch = plan.fixedBatch ?? Math.min(evaluation.batch, size);
  const whole = size - (size % batch);
  if (plan.fixedBatch !== undefined) assertWhole(evaluation.data, plan.fixedBatch);
  const parts = [await createPart(evaluation, plan, { begin: 0, end: whole, batch })];
  if (whole < size) {
    parts.push(await createPart(evaluation, plan, { begin: whole, end: size, batch: size - whole }));
  }
  return {
    async evaluate(weights, signal) {
      let loss = 0;
      for (const part of parts) {
        const feeds = await part.hold(weights);
        for (let first = part.begin; first < part.end; first += part.batch) {
          signal?.throwIfAborted();
          loss += (await part.run(feeds, first)) * part.batch;
        }
      }
      return { loss: loss / size };
    },
    async release() {
      for (const part of parts) await part.release();
    },
  };
}

/**
 * Checks that the data divide into whole batches, as the loss of a part cannot be read off the mean of a
 * batch.
 */
function assertWhole({ name, size }: DataSet, batch: number): void {
  if (size % batch === 0) return;
  throw new InputError(
    `Cannot evaluate on "${name}" as the loss is that of whole batches, and the graph takes batches of ${batch}: there are ${size} examples; take a multiple, as with ${name}@${size - (size % batch)}`,
    { input: name },
  );
}

async function createPart(
  { graph, engine, data, loss, threads }: NetworkEvaluation,
  plan: FeedPlan,
  range: Pick<Part, "begin" | "end" | "batch">,
): Promise<Part> {
  const { batch } = range;
  const objective = attachLoss(await specialize({ graph, engine }, { batch, extents: plan.extents }), loss);
  const outputs = objective.graph.outputs.filter(({ name }) => name === objective.loss);
  const session = await engine.load({ ...objective.graph, outputs }, { threads });
  return {
    ...range,
    hold: (weights) => holdFeeds(session, weights),
    async run(held, first) {
      const fed = feedObjective({ objective, plan, data }, data.read(first, first + batch));
      const feeds = new Map([...held, ...fed.feeds]);
      const { data: lossData } = entry(await session.run(feeds), objective.loss, "output");
      return Number(at<number | bigint>(lossData, 0));
    },
    release: () => session.release(),
  };
}
