import { at, type Checkpoint, entry, toFloat64 } from "@isthmus/core";
import { type Architecture, bindWeights, type DataSet, planFeeds, softmaxInto } from "@isthmus/graph";

/** Examples that are run at once. */
const BATCH = 50;

/**
 * Measures the mean of the probabilities of networks on labelled examples, or on texts, whose targets are the tokens that
 * follow.
 */
export async function measureEnsemble(
  { graph, engine }: Architecture,
  networks: readonly Checkpoint[],
  data: DataSet,
): Promise<{ readonly loss: number; readonly error: number }> {
  const plan = planFeeds("measure an ensemble", graph, data, BATCH);
  const session = await engine.load(graph);
  const output = at(graph.outputs, 0, "output").name;
  const bound = await Promise.all(networks.map((network) => bindWeights(graph, network)));
  let [loss, wrong, count] = [0, 0, 0];
  for (const range of plan.ranges) {
    const fed = plan.read(range);
    let sums: Float64Array = new Float64Array();
    let classes = 1;
    for (const weights of bound) {
      const logits = entry(await session.run(new Map([...weights, ...fed.feeds])), output, "output");
      classes = at(logits.shape, logits.shape.length - 1, "axis");
      const probabilities = softmaxInto(
        logits.data as Float32Array,
        classes,
        new Float64Array(logits.data.length),
      );
      sums = sums.length === 0 ? probabilities : sums.map((sum, i) => sum + at(probabilities, i, "class"));
    }
    const targets = targetsOf(data, range);
    for (const [row, target] of targets.entries()) {
      if (target < 0) continue;
      const predicted = sums.subarray(row * classes, (row + 1) * classes);
      loss -= Math.log(at(predicted, target, "class") / networks.length);
      if (predicted.indexOf(Math.max(...predicted)) !== target) wrong++;
      count++;
    }
  }
  await session.release();
  return { loss: Number((loss / count).toFixed(4)), error: Number((wrong / count).toFixed(4)) };
}

/** Returns the class of each row of logits; -1 for the last token of a text, whose successor is not known. */
function targetsOf(
  data: DataSet,
  { begin, end }: { readonly begin: number; readonly end: number },
): number[] {
  const { inputs, labels } = data.read(begin, end);
  if (data.exampleShape.length !== 1) return [...labels];
  const length = at(data.exampleShape, 0, "length");
  const tokens = toFloat64(inputs.data, inputs.dtype);
  return Array.from(tokens, (_, i) => ((i + 1) % length === 0 ? -1 : at(tokens, i + 1, "token")));
}
