import { at, type Checkpoint, OutOfRangeError } from "@isthmus/core";
import type { Classifier, ClassProbabilities, DataSet, Engine, Graph } from "@isthmus/graph";
import { openClassifier } from "./keep-predictions.ts";

/** Architecture, with the data sets that its networks predict. */
export interface PredictionTask {
  /** Graph of the networks. */
  readonly graph: Graph;
  /** Engine that runs the graph. */
  readonly engine: Engine;
  /** Data sets whose examples are predicted; their labels are not used. */
  readonly data: readonly DataSet[];
}

/** Weights of the networks whose predictions are averaged, one network after another. */
export type NetworkStream = Iterable<Checkpoint> | AsyncIterable<Checkpoint>;

/** Options of {@link averagePredictions}. */
export interface AveragePredictionsOptions {
  /** Number of examples in one engine call. @defaultValue 100 */
  readonly batchSize?: number;
  /**
   * Folder that stores the predictions of each network, so that the next call need not compute them again.
   * @defaultValue none are stored
   */
  readonly predictionsPath?: string | undefined;
  /** Signal that stops the evaluation of networks. @defaultValue never stopped */
  readonly signal?: AbortSignal | undefined;
  /**
   * Called with each network's predictions for every data set, before they are averaged. The callback must
   * not change them.
   */
  readonly onNetwork?: ((predictions: readonly ClassProbabilities[]) => void) | undefined;
}

/**
 * Averages the class probabilities of any number of networks: for a deep ensemble, or for Bayesian model
 * averaging over networks that are drawn. One network is in memory at a time; sums are in f64.
 *
 * @returns the mean probabilities for every data set
 * @throws RangeError if there are no networks
 * @throws InputError if data do not fit the graph, or its first output is not logits
 */
export async function averagePredictions(
  { graph, engine, data }: PredictionTask,
  networks: NetworkStream,
  { batchSize = 100, predictionsPath: folder, signal, onNetwork }: AveragePredictionsOptions = {},
): Promise<ClassProbabilities[]> {
  const classifiers: Classifier[] = [];
  try {
    for (const set of data)
      classifiers.push(await openClassifier({ graph, engine }, set, { batchSize, folder }));
    const sums: ClassProbabilities[] = [];
    let count = 0;
    for await (const network of networks) {
      const predictions: ClassProbabilities[] = [];
      for (const classifier of classifiers) predictions.push(await classifier.classify(network, signal));
      onNetwork?.(predictions);
      for (const [i, prediction] of predictions.entries()) {
        if (count === 0) sums.push(copyOf(prediction));
        else addInto(at(sums, i, "data set"), prediction);
      }
      count += 1;
    }
    if (count === 0) {
      throw new OutOfRangeError(
        `Cannot average predictions of graph "${graph.name}" as there must be at least one network: there are none`,
      );
    }
    return sums.map(({ probabilities, classes }) => {
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

/** Adds probabilities to `sums` in place. */
function addInto(sums: ClassProbabilities, { probabilities }: ClassProbabilities): void {
  for (let i = 0; i < probabilities.length; i++) {
    sums.probabilities[i] = (sums.probabilities[i] as number) + (probabilities[i] as number);
  }
}
