import type { Tensor } from "@isthmus/core";
import { createEvaluator, type DataSet, type Engine, type Graph, specialize } from "@isthmus/graph";
import { attachLoss } from "../loss/attach-loss.ts";
import type { LossSpec } from "../loss/loss-spec.ts";
import { createTargetFiller } from "./create-target-filler.ts";
import { dataExtents } from "./data-extents.ts";
import type { EvaluationResult } from "./train-result.ts";

/** Evaluates networks of one architecture by the loss they are trained with. */
export interface NetworkEvaluator {
  /**
   * Runs the whole data set once.
   * @throws DOMException named AbortError if `signal` is aborted
   */
  evaluate(weights: ReadonlyMap<string, Tensor>, signal?: AbortSignal): Promise<EvaluationResult>;
  /** Frees what the engine holds. */
  release(): Promise<void>;
}

/** What is evaluated. */
export interface NetworkEvaluation {
  readonly graph: Graph;
  readonly engine: Engine;
  readonly data: DataSet;
  readonly loss: LossSpec;
  /** Examples in one engine call, but the last. */
  readonly batch: number;
  readonly threads: number;
}

/**
 * Gets ready to evaluate networks: as inference runs them, without dropout and with the statistics of norms, and without label
 * smoothing.
 * @throws InputError if the data do not fit the graph
 */
export async function createNetworkEvaluator(evaluation: NetworkEvaluation): Promise<NetworkEvaluator> {
  const { graph, engine, data, loss, batch, threads } = evaluation;
  if (loss.kind !== "cross-entropy" && loss.kind !== "next-token")
    return createObjectiveEvaluator(evaluation);
  const outputs = graph.outputs.filter(({ name }) => loss.logits === undefined || name === loss.logits);
  // A graph that was exported for one size of batch takes no other; logits of texts are large.
  const fixed = graph.inputs[0]?.shape?.[0];
  const size = typeof fixed === "number" ? fixed : loss.kind === "next-token" ? batch : undefined;
  const options = { threads, ...(size === undefined ? {} : { batchSize: size }) };
  const evaluator = await createEvaluator({ ...graph, outputs }, engine, data, options);
  return {
    async evaluate(weights, signal) {
      const { loss: mean, error } = await evaluator.evaluate(weights, signal);
      return { loss: mean, accuracy: 1 - error };
    },
    release: () => evaluator.release(),
  };
}

/** One size of batch, ready to run for its mean loss. */
interface Part {
  readonly begin: number;
  readonly end: number;
  readonly batch: number;
  run(weights: ReadonlyMap<string, Tensor>, at: number): Promise<number>;
  release(): Promise<void>;
}

/** Whole batches in one session and, as shapes are fixed, the examples left over in another. */
async function createObjectiveEvaluator(evaluation: NetworkEvaluation): Promise<NetworkEvaluator> {
  const { size } = evaluation.data;
  const batch = Math.min(evaluation.batch, size);
  const whole = size - (size % batch);
  const parts = [await createPart(evaluation, { begin: 0, end: whole, batch })];
  if (whole < size) {
    parts.push(await createPart(evaluation, { begin: whole, end: size, batch: size - whole }));
  }
  return {
    async evaluate(weights, signal) {
      let loss = 0;
      for (const part of parts) {
        for (let at = part.begin; at < part.end; at += part.batch) {
          signal?.throwIfAborted();
          loss += (await part.run(weights, at)) * part.batch;
        }
      }
      return { loss: loss / size };
    },
    async release() {
      for (const part of parts) await part.release();
    },
  };
}

async function createPart(
  { graph, engine, data, loss, threads }: NetworkEvaluation,
  range: Pick<Part, "begin" | "end" | "batch">,
): Promise<Part> {
  const { batch } = range;
  const typed = await specialize(graph, engine, { batch, extents: dataExtents(graph, data) });
  const objective = attachLoss(typed, loss);
  const outputs = objective.graph.outputs.filter(({ name }) => name === objective.loss);
  const pruned = { ...objective.graph, outputs };
  const session = await engine.load(pruned, { threads });
  const {
    targets: { name: target },
    targetWeights,
  } = objective;
  const weighted = targetWeights === undefined ? {} : { targetWeights };
  const wanted = { graph: objective.graph, batch, targets: target, ...weighted };
  return {
    ...range,
    async run(weights, at) {
      const examples = data.read(at, at + batch);
      const { targets, fill } = createTargetFiller(wanted, examples, data.classes);
      fill();
      const feeds = new Map(weights).set(objective.examples, examples.inputs);
      if (target !== objective.examples) feeds.set(target, targets);
      return Number((await session.run(feeds)).get(objective.loss)?.data[0]);
    },
    release: () => session.release(),
  };
}
