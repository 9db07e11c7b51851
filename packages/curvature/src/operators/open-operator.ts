import { gradient, productName, vectorName } from "@isthmus/autodiff";
import {
  assertWholeOptions,
  type Checkpoint,
  DTYPES,
  entry,
  InvariantError,
  type Tensor,
} from "@isthmus/core";
import { type Architecture, assertNetwork, bindWeights, type DataSet, type Graph } from "@isthmus/graph";
import { gradientName } from "@isthmus/graph/ir";
import { createProducts, type MatrixProducts } from "@isthmus/linear-algebra";
import {
  createObjectiveRunner,
  type Objective,
  type ObjectiveOutcome,
  type ObjectiveRunner,
} from "@isthmus/training";
import type { OperatorTensor } from "../linear-operator.ts";
import {
  addTensorsInPlace,
  layoutParameters,
  SUMMANDS_AT_ONCE,
  splitVector,
  splitVectorInto,
  type TensorSummand,
  type VectorLayout,
} from "./layout.ts";
import { lossOf } from "./loss-surface.ts";
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
  /** Multiplier of matrices of vectors; undefined if the engine would copy them, or may have no f64. */
  readonly products: MatrixProducts | undefined;
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
  const heldBatches = batchesHeld(dimension);
  const runner = await createObjectiveRunner(
    { attempt, graph, engine, data, loss, examples, batchSize, signal, heldBatches, varying },
    (objective) => [
      gradient(objective.graph, { loss: objective.loss, withRespectTo: names }),
      ...(product === undefined ? [] : [product.derive(objective, names)]),
    ],
  );
  const sums: BatchSums = { runner, layout, heldBatches };
  const products = engine.sharesMemory === true ? createProducts(engine, 1, false) : undefined;
  return {
    layout,
    dimension,
    weights,
    examples,
    async gradientAt(moved, out) {
      let loss = 0;
      await sumInto(sums, { graph: GRADIENT, tensors: moved, nameOf: gradientName, out }, (outcome) => {
        loss += (lossOf(outcome) * outcome.count) / examples;
        return outcome.count / examples;
      });
      return loss;
    },
    apply:
      product === undefined ? refuseProduct : createProduct(sums, { product, weights, examples, dimension }),
    products,
    async release() {
      await Promise.all([runner.release(), products?.release()]);
    },
  };
}

const refuseProduct = async () => {
  throw new InvariantError("a loss without a graph of the product has gradients alone");
};

/** Runner of the graphs of a loss, whose results on batches are added up. */
interface BatchSums {
  readonly runner: ObjectiveRunner;
  readonly layout: readonly OperatorTensor[];
  /** Number of batches whose results are added at once. */
  readonly heldBatches: number;
}

/** Most bytes of results of batches that are held to be added at once. */
const HELD_BYTES = 2 ** 26;

const batchesHeld = (dimension: number): number =>
  Math.min(SUMMANDS_AT_ONCE, Math.max(1, Math.floor(HELD_BYTES / (dimension * DTYPES.f32.bytes))));

/** Sum of what a graph computes on the batches. */
interface BatchSum {
  /** Place of the graph. */
  readonly graph: number;
  /** Weights and further inputs. */
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** Returns the name of the output that belongs to a tensor of the layout. */
  readonly nameOf: (loss: string, name: string) => string;
  /** Vector that the sum is written to. */
  readonly out: Float64Array;
}

/** Adds up what a graph computes on each batch, in f64, by a factor that may differ from batch to batch. */
async function sumInto(
  { runner, layout, heldBatches }: BatchSums,
  { graph, tensors, nameOf, out }: BatchSum,
  factorOf: (outcome: ObjectiveOutcome) => number,
): Promise<void> {
  out.fill(0);
  const held: TensorSummand[] = [];
  const addHeld = () => addTensorsInPlace(out, layout, held.splice(0));
  await runner.run(graph, tensors, (outcome) => {
    const { results, objective } = outcome;
    const parts = layout.map(({ name }) => entry(results, nameOf(objective.loss, name), "derivative"));
    held.push({ factor: factorOf(outcome), tensors: parts });
    if (held.length === heldBatches) addHeld();
  });
  addHeld();
}

/**
 * Returns the product of the curvature with a vector. Products are made one after another, as they share the
 * tensors that the vector is cut into, and results.
 */
function createProduct(
  sums: BatchSums,
  {
    product,
    weights,
    examples,
    dimension,
  }: Pick<OpenedLoss, "weights" | "examples" | "dimension"> & { readonly product: ProductGraph },
): OpenedLoss["apply"] {
  const { layout } = sums;
  const parts = splitVector(layout, new Float64Array(dimension), weights);
  const tensors = new Map([
    ...weights,
    ...[...parts].map(([name, part]) => [vectorName(name), part] as const),
  ]);
  let last: Promise<unknown> = Promise.resolve();
  return (vector, out) => {
    const made = last.then(() => {
      splitVectorInto(layout, vector, parts);
      return sumInto(
        sums,
        { graph: PRODUCT, tensors, nameOf: productName, out },
        ({ count }) => (product.factor(count) * count) / examples,
      );
    });
    last = made.catch(() => {});
    return made;
  };
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
  const { dimension, layout, examples, apply, products, release, weights } = opened;
  return {
    kind,
    derivatives: "exact",
    dimension,
    layout,
    examples,
    apply,
    products,
    release,
    gradient: (out) => opened.gradientAt(weights, out),
  };
}
