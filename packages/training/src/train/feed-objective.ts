import type { Tensor } from "@isthmus/core";
import type { Batch, DataSet, FeedPlan } from "@isthmus/graph";
import type { Objective } from "../objective.ts";
import { createTargetFiller, type TargetFiller } from "./create-target-filler.ts";

/** An objective, and the plan and data by which it is fed. */
export interface FedObjective {
  /** Objective whose data inputs are filled. */
  readonly objective: Objective;
  /** Plan that tells which data inputs of the network take which tensors of a batch. */
  readonly plan: Pick<FeedPlan, "feedsOf">;
  /** Data set of the batches, whose number of classes labels must be below. */
  readonly data: DataSet;
}

/** Tensors of a batch of examples that an objective takes. */
export interface ObjectiveFeeds {
  /** A tensor for every data input. */
  readonly feeds: ReadonlyMap<string, Tensor>;
  /** Filler that computes the targets of a batch, and the weight of each target. */
  readonly filler: TargetFiller;
}

/**
 * Makes the tensors that an objective takes for a batch of examples.
 * @throws OutOfRangeError if a label is not a class
 */
export function feedObjective({ objective, plan, data }: FedObjective, examplesRead: Batch): ObjectiveFeeds {
  const [batch = 0] = examplesRead.inputs.shape;
  const step = { ...objective, batch, targets: objective.targets.name };
  const filler = createTargetFiller(step, examplesRead, { classes: data.classes, data });
  filler.fill();
  return { feeds: new Map([...plan.feedsOf(examplesRead), ...filler.feeds]), filler };
}
