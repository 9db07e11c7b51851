import {
  assertWholeOptions,
  at,
  type Checkpoint,
  createRandom,
  entry,
  type Random,
  resolveOptions,
  sumOf,
  toFloat64,
  UnsupportedError,
} from "@isthmus/core";
import { type Architecture, assertNetwork, bindWeights, type DataSet } from "@isthmus/graph";
import { GraphBuilder } from "@isthmus/graph/builder";
import { createObjectiveRunner, lossOfData } from "@isthmus/training";
import { addMultipleInPlace } from "../vectors.ts";
import { empiricalFisher } from "./empirical-fisher.ts";
import type { MeasuredLoss } from "./open-operator.ts";
import {
  CURVATURE_OPERATOR_DEFAULTS,
  type CurvatureOperator,
  type CurvatureOperatorOptions,
} from "./operator-options.ts";

/** Options of {@link sampledGaussNewton}. */
export interface SampledGaussNewtonOptions extends CurvatureOperatorOptions {
  /** Number of labels drawn for each example. @defaultValue 1 */
  readonly labelSamples?: number;
  /** Seed of the labels. @defaultValue 0 */
  readonly seed?: number;
}

/** Defaults of {@link sampledGaussNewton}. */
const SAMPLED_GAUSS_NEWTON_DEFAULTS: Required<SampledGaussNewtonOptions> = {
  ...CURVATURE_OPERATOR_DEFAULTS,
  labelSamples: 1,
  seed: 0,
};

const ATTEMPT = "sample a Gauss-Newton matrix";

/**
 * Creates an estimate of the Gauss-Newton matrix of a network's mean cross-entropy: the mean of `g g'`, where
 * `g` is the gradient of the loss of an example for a label that is drawn from the network's own
 * probabilities. The mean of the estimate over seeds is the exact matrix. The label of an example depends on
 * the seed, and not on the batches. Release it once it is not needed any more.
 * @throws MismatchError if the checkpoint does not fit the graph
 * @throws InputError if the data do not fit the graph or the loss
 * @throws OutOfRangeError if an option is out of range
 * @throws UnsupportedError if the loss is not the cross-entropy of one label an example, or an operator has
 *   no gradient rule
 */
export async function sampledGaussNewton(
  { graph, engine }: Architecture,
  network: Checkpoint,
  data: DataSet,
  options: SampledGaussNewtonOptions = {},
): Promise<CurvatureOperator> {
  const resolved = resolveOptions(ATTEMPT, SAMPLED_GAUSS_NEWTON_DEFAULTS, options);
  assertWholeOptions(ATTEMPT, resolved, { labelSamples: 1, seed: 0, examples: 0, batchSize: 1 });
  assertNetwork(graph, network);
  const { labelSamples, seed, ...shared } = resolved;
  const loss = shared.loss ?? lossOfData(graph, data);
  if (loss.kind !== "cross-entropy") {
    throw unsupported(graph.name, `it is of kind ${loss.kind}`);
  }
  const examples = shared.examples === 0 ? data.size : Math.min(shared.examples, data.size);
  // A smoothed target would not have the second derivatives of the loss as its spread.
  const plain = { ...shared, examples, loss: { ...loss, labelSmoothing: 0 } };
  const randoms = Array.from({ length: labelSamples }, (_, i) => createRandom(seed, `${ATTEMPT} ${i}`));
  const drawn = await drawLabels({ graph, engine, network, data }, plain, randoms);
  const operators: CurvatureOperator[] = [];
  try {
    for (const labels of drawn) {
      operators.push(await empiricalFisher({ graph, engine }, network, relabel(data, labels), plain));
    }
    return averageOf(operators, await empiricalFisher({ graph, engine }, network, data, { ...shared, loss }));
  } catch (error) {
    await Promise.all(operators.map((operator) => operator.release()));
    throw error;
  }
}

/** Returns the mean of operators, with the gradient for the labels of the data. */
function averageOf(operators: readonly CurvatureOperator[], labelled: CurvatureOperator): CurvatureOperator {
  return {
    ...labelled,
    kind: "sampled-gauss-newton",
    async apply(vector, out) {
      out.fill(0);
      const product = new Float64Array(labelled.dimension);
      for (const operator of operators) {
        await operator.apply(vector, product);
        addMultipleInPlace(out, 1 / operators.length, product);
      }
    },
    async release() {
      await Promise.all([labelled, ...operators].map((operator) => operator.release()));
    },
  };
}

/** Draws a label of each example from the network's own probabilities, once for each generator. */
async function drawLabels(
  { graph, engine, network, data }: MeasuredLoss,
  options: Required<CurvatureOperatorOptions>,
  randoms: readonly Random[],
): Promise<Int32Array[]> {
  const { loss, batchSize, examples, signal } = options;
  const runner = await createObjectiveRunner(
    { attempt: ATTEMPT, graph, engine, data, loss, examples, batchSize, signal },
    (objective) => {
      const builder = GraphBuilder.from(objective.graph);
      if (objective.output === undefined) throw unsupported(graph.name, "the graph computes it itself");
      const logits = builder.value(objective.output);
      if (logits.shape.length !== 2)
        throw unsupported(graph.name, `logits are of rank ${logits.shape.length}`);
      return [builder.build([logits])];
    },
  );
  try {
    const labels = randoms.map(() => new Int32Array(examples));
    let first = 0;
    await runner.run(0, await bindWeights(graph, network), ({ results, objective, count }) => {
      const { data, dtype, shape } = entry(results, objective.output ?? "logits", "output");
      const [values, classes] = [toFloat64(data, dtype), at(shape, 1, "extent")];
      for (let row = 0; row < count; row++) {
        const logits = values.subarray(row * classes, (row + 1) * classes);
        randoms.forEach((random, i) => {
          at(labels, i, "sample")[first + row] = drawClass(logits, random);
        });
      }
      first += count;
    });
    return labels;
  } finally {
    await runner.release();
  }
}

function drawClass(logits: Float64Array, random: Random): number {
  const highest = logits.reduce((most, x) => Math.max(most, x), Number.NEGATIVE_INFINITY);
  const weights = logits.map((x) => Math.exp(x - highest));
  let left = random.uniform() * sumOf(weights);
  const place = weights.findIndex((weight) => {
    left -= weight;
    return left < 0;
  });
  return place < 0 ? weights.length - 1 : place;
}

/** Returns the first examples of a data set with other labels. */
function relabel(data: DataSet, labels: Int32Array): DataSet {
  const { gatherInto: _, ...rest } = data;
  return {
    ...rest,
    size: labels.length,
    read: (begin, end) => ({ ...data.read(begin, end), labels: labels.slice(begin, end) }),
  };
}

function unsupported(graph: string, state: string): UnsupportedError {
  return new UnsupportedError(
    `Cannot ${ATTEMPT} of graph "${graph}" as its loss must be the cross-entropy of one label an example: ${state}; take the exact Gauss-Newton matrix`,
    { feature: "sampled Gauss-Newton matrix" },
  );
}
