import { at, type Checkpoint, entry, InputError, resolveOptions } from "@isthmus/core";
import { type Architecture, bindWeights, createFeedHolder, planFeeds } from "@isthmus/graph";
import { createTargetFiller } from "../train/create-target-filler.ts";
import { DISTILL_DEFAULTS, type DistillOptions } from "./distill-options.ts";
import { taughtLoss } from "./taught-loss.ts";
import { loadTeacher, type Teacher } from "./teacher.ts";

/** Options of {@link measureTeaching}. */
export type MeasureTeachingOptions = Pick<DistillOptions, "batch" | "temperature" | "threads" | "signal">;

/** Nearness of a network to an expert on the examples of the expert. */
export interface TeachingDistance {
  /**
   * Loss against the expert's outputs: for classes and tokens the Kullback-Leibler divergence in nats, times
   * the squared temperature.
   */
  readonly divergence: number;
  /** Share of predictions that are the expert's, in `[0, 1]`; missing for outputs that are numbers. */
  readonly agreement?: number;
}

/**
 * Measures how near a network is to an expert by their outputs, in inference mode. Examples at the end that
 * fill no batch are left out.
 * @param network - weights of the network, under the names of its graph
 * @throws InputError if there are no examples
 * @throws MismatchError if weights do not fit the graph
 * @throws DOMException named AbortError if the signal is aborted
 */
export async function measureTeaching(
  engine: Architecture["engine"],
  network: Checkpoint,
  expert: Teacher,
  options: MeasureTeachingOptions = {},
): Promise<TeachingDistance> {
  const {
    batch: asked = DISTILL_DEFAULTS.batch,
    temperature,
    threads,
    signal,
  } = resolveOptions<Required<MeasureTeachingOptions>>(
    "measure",
    { batch: undefined, temperature: 1, threads: 0, signal: undefined },
    options,
  );
  const { graph, ownGraph = graph, weights, data } = expert;
  const plan = planFeeds("measure", graph, data, asked);
  const batch = plan.fixedBatch ?? Math.min(asked, data.size);
  if (batch === 0 || data.size < batch) {
    throw new InputError(
      `Cannot measure on "${data.name}" as there must be examples for a batch of ${batch}: there are ${data.size}`,
      { input: data.name },
    );
  }
  const loss = taughtLoss(graph, data, temperature);
  const teacher = await loadTeacher(expert, engine, { loss, batch, threads, extents: plan.extents });
  const { objective } = teacher;
  const { metrics } = objective;
  const names = [objective.loss, ...metrics.values()];
  const outputs = objective.graph.outputs.filter(({ name }) => names.includes(name));
  const session = await engine.load({ ...objective.graph, outputs }, { threads });
  try {
    const bound = await bindWeights(ownGraph, weights);
    const held = await createFeedHolder(session)(await bindWeights(graph, network));
    const sums = { loss: 0, correct: 0, counted: 0 };
    for (let first = 0; first + batch <= data.size; first += batch) {
      signal?.throwIfAborted();
      const read = data.read(first, first + batch);
      const feeds = plan.feedsOf(read);
      const step = { ...objective, batch, targets: objective.targets.name };
      const filler = createTargetFiller(step, read, { classes: data.classes, data, isTaught: true });
      filler.fill();
      const answers = await teacher.answer(bound, feeds, read);
      const fed = new Map([...held, ...feeds, ...filler.feeds, [step.targets, answers] as const]);
      const results = await session.run(fed);
      const numberOf = (name: string) => Number(at<number | bigint>(entry(results, name).data, 0));
      const count = (what: string) => numberOf(entry(metrics, what, "metric"));
      const counted = metrics.has("counted") ? count("counted") : batch;
      if (counted === 0) continue;
      sums.loss += counted * numberOf(objective.loss);
      sums.counted += counted;
      if (metrics.has("correct")) sums.correct += count("correct");
    }
    const divergence = sums.loss / sums.counted;
    return metrics.has("correct") ? { divergence, agreement: sums.correct / sums.counted } : { divergence };
  } finally {
    await session.release();
    await teacher.release();
  }
}
