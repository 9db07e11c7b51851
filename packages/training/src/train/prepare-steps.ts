import { type DataSet, type Engine, type FeedPlan, type Graph, planFeeds } from "@isthmus/graph";
import { type Batches, createBatches } from "../batches/create-batches.ts";
import type { Blend } from "../blend/blend.ts";
import { createTrainingStep } from "../step/create-training-step.ts";
import type { TrainingStep } from "../step/training-step.ts";
import { assertClasses, assertEnoughExamples, assertExamplesFit } from "./assert-trainable.ts";
import { createTargetFiller, type TargetFiller } from "./create-target-filler.ts";
import type { ResolvedTrainOptions } from "./train-options.ts";
import { assertNoState } from "./training-state.ts";

/** A step and everything that feeds it examples; weights are not part of it. */
export interface PreparedSteps {
  readonly step: TrainingStep;
  readonly batches: Batches;
  readonly filler: TargetFiller;
  /** Plan of which data inputs of the network take which tensors of a batch. */
  readonly plan: FeedPlan;
}

/** Checks that a training fits its data and its state, and makes its step. */
export async function prepareSteps(
  {
    graph,
    engine,
    data,
    blend,
  }: {
    readonly graph: Graph;
    readonly engine: Engine;
    readonly data: DataSet;
    readonly blend?: Pick<Blend, "points" | "decay">;
  },
  options: ResolvedTrainOptions,
): Promise<PreparedSteps> {
  const { statePath, resume, signal, batch, loss, optimizer, freeze } = options;
  signal?.throwIfAborted();
  assertEnoughExamples(data, options);
  if (statePath !== undefined && !resume) await assertNoState(statePath);
  const plan = planFeeds("train", graph, data, batch);
  const batches = createBatches(data, options);
  const step = await createTrainingStep(graph, engine, {
    batch,
    loss,
    optimizer,
    extents: plan.extents,
    freeze,
    ...(blend === undefined ? {} : { blend: blend.points, blendDecay: blend.decay ?? "points" }),
    ...(signal === undefined ? {} : { signal }),
  });
  assertExamplesFit(step, data, plan.feedsOf(batches.current));
  const classes = assertClasses({ graph, step, loss }, data);
  return { step, batches, plan, filler: createTargetFiller(step, batches.current, { classes }) };
}
