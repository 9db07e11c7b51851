import { assertWholeOptions, type Checkpoint } from "@isthmus/core";
import type { Architecture } from "../architecture.ts";
import type { DataSet } from "../data-set.ts";
import { bindWeights } from "../ir/bind-weights.ts";
import { createLogitsPasses } from "./create-logits-passes.ts";
import { EVALUATOR_DEFAULTS } from "./evaluator-options.ts";

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

/**
 * Limits a data set to its first examples and adds their number to its name, as in `mnist:test@1000`; returns
 * the data set itself if it has no more examples.
 * @throws OutOfRangeError if `examples` is not a whole number of at least 1
 */
export function limitExamples(attempt: string, data: DataSet, examples: number): DataSet {
  assertWholeOptions(attempt, { examples }, { examples: 1 });
  if (examples >= data.size) return data;
  const [, source = data.name, from] = /^(.*?)(?:@(?:(\d+)\.\.)?\d+)?$/s.exec(data.name) ?? [];
  const count = from === undefined ? examples : `${from}..${Number(from) + examples - 1}`;
  const name = `${source}@${count}`;
  return { ...data, name, size: examples, read: (begin, end) => data.read(begin, end) };
}
