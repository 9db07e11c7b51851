import type { Checkpoint } from "@isthmus/core";
import type { Architecture } from "../architecture.ts";
import type { DataSet } from "../data-set.ts";
import { bindWeights } from "../ir/bind-weights.ts";
import { createLogitsPasses } from "./create-logits-passes.ts";
import { EVALUATOR_DEFAULTS } from "./evaluator-options.ts";
import { limitExamples } from "./limit-examples.ts";

/** Number of texts on which a network is checked. */
const TEXTS = 4;

/**
 * Checks that a network predicts each token of a data set only from earlier tokens. Evaluation does this
 * itself; this function is for code that computes the next-token loss in another way. Some texts are run
 * twice.
 * @param attempt - name of the attempt for messages, for example `train`
 * @throws InputError if a later token changes earlier predictions, or the data do not fit the graph
 */
export async function assertCausal(
  attempt: string,
  { graph, engine }: Architecture,
  network: Checkpoint,
  data: DataSet,
): Promise<void> {
  const texts = limitExamples(attempt, data, TEXTS);
  const options = { ...EVALUATOR_DEFAULTS, bake: false };
  const passes = await createLogitsPasses({ graph, engine, data: texts, attempt, texts: true }, options);
  try {
    await passes.run(await bindWeights(graph, network), () => {}, { signal: undefined });
  } finally {
    await passes.release();
  }
}
