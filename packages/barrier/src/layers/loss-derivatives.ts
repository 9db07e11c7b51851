import { gradient, hessianVectorProduct, productName, vectorName } from "@isthmus/autodiff";
import { allocateData, at, dot, entry, sizeOf, type Tensor } from "@isthmus/core";
import type { DataSet, Engine, Graph } from "@isthmus/graph";
import { gradientName } from "@isthmus/graph/ir";
import { createObjectiveRunner, type LossSpec, type ObjectiveOutcome } from "@isthmus/training";

/** Direction in the space of weights; it is 0 in missing tensors. */
export type Direction = ReadonlyMap<string, Tensor>;

/** Weights of a network: a tensor for every weight of the graph. */
export type NetworkWeights = ReadonlyMap<string, Tensor>;

/** Loss to differentiate, with its data and the weights by which it is differentiated. */
export interface DifferentiatedLoss {
  /** Graph of the networks, without gradients. */
  readonly graph: Graph;
  /** Engine that runs the graphs of gradients and Hessian products. */
  readonly engine: Engine;
  /** Data set that the mean loss is taken over. */
  readonly data: DataSet;
  /**
   * Loss to differentiate; undefined for the loss by which networks are evaluated: cross-entropy, for texts
   * of the next token.
   */
  readonly loss: LossSpec | undefined;
  /** Names of all weights that move in some direction. */
  readonly names: readonly string[];
  /** Number of examples, the first ones of the data. */
  readonly examples: number;
  /** Number of examples in one engine call. */
  readonly batchSize: number;
  /** Signal that stops the passes; undefined if they are never stopped. */
  readonly signal: AbortSignal | undefined;
}

/** Computation of derivatives of the mean loss of networks in inference mode along directions. */
export interface LossDerivatives {
  /** Computes the loss, then its derivative along each direction. */
  slopes(network: NetworkWeights, directions: readonly Direction[]): Promise<number[]>;
  /** Computes `d' H d_h` for one direction `d` and each of several directions `d_h`. */
  curvatures(
    network: NetworkWeights,
    direction: Direction,
    directions: readonly Direction[],
  ): Promise<number[]>;
  /** Frees the memory of the engine. */
  release(): Promise<void>;
}

/**
 * Prepares first and second derivatives of a loss: graphs that are differentiated once and twice, for whole
 * batches and, as the shapes of a graph are fixed, separately for the remaining examples. Sums over tensors
 * and batches are in f64, sums within a batch in the type of the weights.
 * @throws UnsupportedError if an operator has no gradient rule; it names the node
 * @throws InputError or MismatchError if the data do not fit the graph or the loss
 */
export async function createLossDerivatives(differentiated: DifferentiatedLoss): Promise<LossDerivatives> {
  const { names, examples } = differentiated;
  const runner = await createObjectiveRunner(
    { ...differentiated, attempt: "differentiate the loss" },
    ({ graph, loss }) => {
      const options = { loss, withRespectTo: names };
      return [gradient(graph, options), hessianVectorProduct(graph, options)];
    },
  );
  const along = (results: NetworkWeights, nameOf: (name: string) => string, direction: Direction) =>
    names.reduce((sum, name) => {
      const moved = direction.get(name);
      return sum + (moved === undefined ? 0 : dot(entry(results, nameOf(name), "derivative"), moved));
    }, 0);
  /** Computes the mean of numbers over all examples from the means of batches. */
  const average = async (
    place: number,
    tensors: NetworkWeights,
    numbersOf: (outcome: ObjectiveOutcome) => number[],
  ): Promise<number[]> => {
    let sums: number[] | undefined;
    await runner.run(place, tensors, (outcome) => {
      const numbers = numbersOf(outcome);
      const before = sums ?? numbers.map(() => 0);
      sums = numbers.map((number, i) => at(before, i, "sum") + (number * outcome.count) / examples);
    });
    return sums ?? [];
  };
  return {
    slopes: (network, directions) =>
      average(GRADIENT, network, ({ results, objective: { loss } }) => [
        Number(at<number | bigint>(entry(results, loss, "output").data, 0)),
        ...directions.map((direction) => along(results, (name) => gradientName(loss, name), direction)),
      ]),
    curvatures(network, direction, directions) {
      const vector = names.map((name): [string, Tensor] => [
        vectorName(name),
        direction.get(name) ?? zerosLike(entry(network, name, "weight")),
      ]);
      return average(PRODUCT, new Map([...network, ...vector]), ({ results, objective: { loss } }) =>
        directions.map((other) => along(results, (name) => productName(loss, name), other)),
      );
    },
    release: () => runner.release(),
  };
}

/** Indices of the graphs that are derived from the loss. */
const [GRADIENT, PRODUCT] = [0, 1];

function zerosLike({ dtype, shape }: Tensor): Tensor {
  return { dtype, shape, data: allocateData(dtype, sizeOf(shape)) };
}
