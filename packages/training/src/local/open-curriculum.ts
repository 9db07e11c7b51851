import type { Checkpoint } from "@isthmus/core";
import type { Architecture, DataSet } from "@isthmus/graph";
import type { EpochOrder } from "../batches/create-batches.ts";
import { measureExampleLosses } from "../loss/measure-example-losses.ts";
import type { ResolvedTrainOptions } from "../train/train-options.ts";
import { curriculumOrder, rankExamples } from "./curriculum-order.ts";

/** A network and the data that it is trained on. */
export interface LocalNetwork extends Architecture {
  /** Weights that training starts from. */
  readonly weights: Checkpoint;
  /** Examples that the network is trained on, which the curriculum ranks. */
  readonly data: DataSet;
}

/**
 * Measures the losses that a curriculum ranks examples by, and returns the order of examples; undefined
 * without a curriculum. A training that resumes measures them again, to the same order.
 */
export async function openCurriculum(
  { weights, data, ...architecture }: LocalNetwork,
  { curriculum, seed, epochs, batch, remainder, loss, threads, signal }: ResolvedTrainOptions,
): Promise<EpochOrder | undefined> {
  if (curriculum === undefined) return undefined;
  const { order, scoredBy = weights } = curriculum;
  const measured = { loss, batch, threads, signal };
  const losses =
    order === "random" ? undefined : await measureExampleLosses(architecture, scoredBy, data, measured);
  const training = { seed, epochs, examples: data.size, batch, remainder };
  return curriculumOrder(curriculum, rankExamples(order, losses, training), training);
}
