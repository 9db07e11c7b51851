import type { Tensor } from "@isthmus/core";
import {
  type Classifier,
  type ClassProbabilities,
  createClassifier,
  type DataSet,
  type Engine,
  type Graph,
} from "@isthmus/graph";

/** Networks of one architecture and the data sets they are to predict. */
export interface PredictionTask {
  readonly graph: Graph;
  readonly engine: Engine;
  readonly data: readonly DataSet[];
}

/** Weights of the networks that are averaged, made one after another. */
export type NetworkStream =
  | Iterable<ReadonlyMap<string, Tensor>>
  | AsyncIterable<ReadonlyMap<string, Tensor>>;

/** Options of {@link averagePredictions}. */
export interface AveragePredictionsOptions {
  /** Examples in one engine call. @defaultValue 100 */
  readonly batchSize?: number;
  readonly signal?: AbortSignal | undefined;
  /** Called with each network's own predictions for every data set, before they are averaged; to be looked at only. */
  readonly onNetwork?: ((predictions: readonly ClassProbabilities[]) => void) | undefined;
}

/**
 * Averages the class probabilities of any number of networks: a deep ensemble, or Bayesian model averaging over networks that are
 * drawn. One network is in memory at a time; sums are in f64.
 *
 * @returns for every data set the mean probabilities
 * @throws RangeError if there are no networks
 * @throws InputError if data do not fit the graph, or its first output is not logits
 */
export async function averagePredictions(
  { graph, engine, data }: PredictionTask,
  networks: NetworkStream,
  { batchSize = 100, signal, onNetwork }: AveragePredictionsOptions = {},
): Promise<ClassProbabilities[]> {
  const classifiers: Classifier[] = [];
  try {
    for (const set of data) classifiers.push(await createClassifier(graph, engine, set, { batchSize }));
    const means: ClassProbabilities[] = [];
    let count = 0;
    for await (const weights of networks) {
      const own: ClassProbabilities[] = [];
      for (const classifier of classifiers) own.push(await classifier.classify(weights, signal));
      onNetwork?.(own);
      own.forEach((predictions, i) => {
        means[i] = count === 0 ? copyOf(predictions) : addTo(means[i] ?? predictions, predictions);
      });
      count += 1;
    }
    if (count === 0) {
      throw new RangeError(
        `Cannot average predictions of graph "${graph.name}" as there must be at least one network: there are none`,
      );
    }
    return means.map(({ probabilities, classes }) => {
      return { probabilities: probabilities.map((sum) => sum / count), classes };
    });
  } finally {
    for (const classifier of classifiers) await classifier.release();
  }
}

const copyOf = ({ probabilities, classes }: ClassProbabilities): ClassProbabilities => ({
  probabilities: probabilities.slice(),
  classes,
});

function addTo(sums: ClassProbabilities, { probabilities }: ClassProbabilities): ClassProbabilities {
  for (let i = 0; i < probabilities.length; i++) {
    sums.probabilities[i] = (sums.probabilities[i] as number) + (probabilities[i] as number);
  }
  return sums;
}
