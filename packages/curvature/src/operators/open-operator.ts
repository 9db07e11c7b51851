import { gradient, productName, vectorName } from "@isthmus/autodiff";
import {
  assertWholeOptions,
  at,
  type Checkpoint,
  entry,
  InvariantError,
  type Tensor,
  toFloat64,
} from "@isthmus/core";
import { type Architecture, assertNetwork, bindWeights, type DataSet, type Graph } from "@isthmus/graph";
import { gradientName } from "@isthmus/graph/ir";
import { createObjectiveRunner, type Objective, type ObjectiveRunner } from "@isthmus/training";
import type { OperatorTensor } from "../linear-operator.ts";
import { addTensorsInPlace, layoutParameters, splitVector, type VectorLayout } from "./layout.ts";
import type { CurvatureOperator, CurvatureOperatorOptions } from "./operator-options.ts";

/** Network, and the data on which its loss is measured. */
export interface MeasuredLoss extends Architecture {
  /** Weights of the network, by the names of the graph. */
  readonly network: Checkpoint;
  /** Examples over which the loss is the mean. */
  readonly data: DataSet;
}

/** Graph of a product with a vector, and its scale. */
export interface ProductGraph {
  /** Makes the graph, with inputs and outputs named as by `hessianVectorProduct`. */
  readonly derive: (objective: Objective, names: readonly string[]) => Graph;
  /**
   * Returns the factor by which the product on a batch of `count` examples is multiplied to give the mean.
   */
  readonly factor: (count: number) => number;
}

/**
 * Loss that can be differentiated; if there is a graph of products, its curvature can be multiplied with a
 * vector.
 */
export interface OpenedLoss extends VectorLayout {
  /** Weights of the network by name, the measured parameters included. */
  readonly weights: ReadonlyMap<string, Tensor>;
  /** Number of examples, the first ones of the data. */
  readonly examples: number;
  /** Computes the mean loss at the given weights, and its gradient into `out`. */
  readonly gradientAt: (weights: ReadonlyMap<string, Tensor>, out: Float64Array) => Promise<number>;
  /** Computes the product of the curvature with a vector into `out`, both `[dimension]`. */
  readonly apply: (vector: Float64Array, out: Float64Array) => Promise<void>;
  /** Frees the memory of the engine. */
  readonly release: () => Promise<void>;
}

/** Indices of the graphs that are derived from the loss. */
const [GRADIENT, PRODUCT] = [0, 1];

/**
 * Prepares a network's loss for products with its curvature. Sums over batches are in f64.
 * @param product - graph of the product; undefined if only gradients are needed
 * @throws MismatchError if the checkpoint does not fit the graph
 * @throws InputError if the data do not fit the graph or the loss
 * @throws UnsupportedError if an operator has no gradient rule
 */
export async function openLoss(
  attempt: string,
  { graph, engine, network, data }: MeasuredLoss,
  options: Required<CurvatureOperatorOptions>,
  product: ProductGraph | undefined,
): Promise<OpenedLoss> {
  assertWholeOptions(attempt, options, { examples: 0, batchSize: 1 });
  assertNetwork(graph, network);
  const { loss, batchSize, signal } = options;
  const { layout, dimension } = layoutParameters(attempt, graph, options.parameters);
  const names = layout.map(({ name }) => name);
  const examples = options.examples === 0 ? data.size : Math.min(options.examples, data.size);
  const weights = await bindWeights(graph, network);
  // Products are taken at the weights of the network alone: vectors are all that varies.
  const varying = new Set(names.map(vectorName));
  const runner = await createObjectiveRunner(
    { attempt, graph, engine, data, loss, examples, batchSize, signal, reusesResults: true, varying },
    (objective) => [
      gradient(objective.graph, { loss: objective.loss, withRespectTo: names }),
      ...(product === undefined ? [] : [product.derive(objective, names)]),
    ],
  );
  const opened = { runner, layout, examples };
  return {
    layout,
    dimension,
    weights,
    examples,
    gradientAt: (moved, out) => gradientInto(opened, moved, out),
    async apply(vector, out) {
      if (product === undefined)
        throw new InvariantError("a loss without a graph of the product has gradients alone");
      out.fill(0);
      const parts = [...splitVector(layout, vector, weights)];
      const inputs = new Map([...weights, ...parts.map(([name, part]) => [vectorName(name), part] as const)]);
      await runner.run(PRODUCT, inputs, ({ results, objective, count }) => {
        const share = (product.factor(count) * count) / examples;
        addTensorsInPlace(
          out,
          share,
          partsOf(layout, results, (name) => productName(objective.loss, name)),
        );
      });
    },
    release: () => runner.release(),
  };
}

async function gradientInto(
  {
    runner,
    layout,
    examples,
  }: {
    readonly runner: ObjectiveRunner;
    readonly layout: readonly OperatorTensor[];
    readonly examples: number;
  },
  weights: ReadonlyMap<string, Tensor>,
  out: Float64Array,
): Promise<number> {
  out.fill(0);
  let loss = 0;
  await runner.run(GRADIENT, weights, ({ results, objective, count }) => {
    const { data, dtype } = entry(results, objective.loss, "output");
    loss += (at(toFloat64(data, dtype), 0, "loss") * count) / examples;
    const parts = partsOf(layout, results, (name) => gradientName(objective.loss, name));
    addTensorsInPlace(out, count / examples, parts);
  });
  return loss;
}

function partsOf(
  layout: readonly OperatorTensor[],
  results: ReadonlyMap<string, Tensor>,
  nameOf: (name: string) => string,
): (readonly [OperatorTensor, Tensor])[] {
  return layout.map((tensor) => [tensor, entry(results, nameOf(tensor.name), "derivative")]);
}

/** A kind of curvature whose products are exact. */
export interface ExactCurvature extends ProductGraph {
  /** Matrix whose products are computed. */
  readonly kind: CurvatureOperator["kind"];
  /** Words for the computation in messages, such as `compute a Hessian`. */
  readonly attempt: string;
}

/**
 * Creates the operator of a kind of curvature, as {@link openLoss} prepares it.
 * @throws UnsupportedError if an operator has no gradient rule
 */
export async function openExactOperator(
  curvature: ExactCurvature,
  measured: MeasuredLoss,
  options: Required<CurvatureOperatorOptions>,
): Promise<CurvatureOperator> {
  return exactOperator(curvature.kind, await openLoss(curvature.attempt, measured, options, curvature));
}

/** Returns the operator of an opened loss whose products are exact. */
export function exactOperator(kind: CurvatureOperator["kind"], opened: OpenedLoss): CurvatureOperator {
  const { dimension, layout, examples, apply, release, weights } = opened;
  return {
    kind,
    derivatives: "exact",
    dimension,
    layout,
    examples,
    apply,
    release,
    gradient: (out) => opened.gradientAt(weights, out),
  };
}
