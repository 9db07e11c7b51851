import { type Checkpoint, createCheckpoint } from "@isthmus/core";
import { type Architecture, bindWeights, createEvaluator, type DataSet, scoreOutput } from "@isthmus/graph";
import type { SeedAccuracy } from "./intrinsic-dimension-result.ts";
import type { ResolvedMeasureOptions } from "./resolve-measure-options.ts";

/** Evaluates the networks from which the seeds start, before any training. */
export async function evaluateStarts(
  { graph, engine }: Architecture,
  initialize: (seed: number) => Checkpoint,
  evaluation: DataSet,
  { seeds, loss, batch, threads, signal }: ResolvedMeasureOptions,
): Promise<SeedAccuracy[]> {
  const logits = "logits" in loss ? loss.logits : undefined;
  const scored = logits === undefined ? graph : scoreOutput(graph, logits);
  // Logits of texts are large: larger batches would take too much memory.
  const options = { threads, ...(loss.kind === "next-token" ? { batchSize: batch } : {}) };
  const evaluator = await createEvaluator({ graph: scored, engine }, evaluation, options);
  try {
    const results: SeedAccuracy[] = [];
    for (const seed of seeds) {
      const start = createCheckpoint(await bindWeights(graph, initialize(seed)));
      const { loss: mean, error } = await evaluator.evaluate(start, signal);
      results.push({ seed, accuracy: 1 - error, loss: mean });
    }
    return results;
  } finally {
    await evaluator.release();
  }
}
