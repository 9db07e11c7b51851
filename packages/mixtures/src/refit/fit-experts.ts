import {
  at,
  type Checkpoint,
  createTensor,
  defineCheckpoint,
  entry,
  OutOfRangeError,
  resolveOptions,
  sameShape,
  sumOf,
  type Tensor,
  toFloat64,
  UsageError,
  withTensors,
} from "@isthmus/core";
import type { Architecture, DataSet } from "@isthmus/graph";
import {
  createMatrix,
  createProducts,
  type Matrix,
  type MatrixProducts,
  solvePositiveDefinite,
  transposeMatrix,
} from "@isthmus/linear-algebra";
import { crossStatistics } from "@isthmus/statistics";
import { findRouters } from "../routers/find-routers.ts";
import { forceExpert } from "../routers/force-expert.ts";
import { findStreams, type LayerStreams } from "./find-streams.ts";

/** Options of {@link fitExperts}. */
export interface FitExpertsOptions {
  /**
   * Share of the mean of the diagonal of the products of hidden units that draws each matrix to what it
   * was. @defaultValue 0.01
   */
  readonly ridge?: number;
  /** Examples in one engine call. @defaultValue 16 */
  readonly batchSize?: number;
  /** Threads of the engine; 0 lets it choose. @defaultValue 0 */
  readonly threads?: number;
  /** Signal that stops the work, checked before each batch. @defaultValue never stopped */
  readonly signal?: AbortSignal | undefined;
  /** Called after each batch with the share of the work that is done. */
  readonly onProgress?: ((progress: { readonly done: number }) => void) | undefined;
}

/** Defaults of {@link fitExperts}. */
export const FIT_EXPERTS_DEFAULTS: Required<FitExpertsOptions> = {
  ridge: 0.01,
  batchSize: 16,
  threads: 0,
  signal: undefined,
  onProgress: undefined,
};

/** A model that an expert was made of, and a text of its kind. */
export interface ExpertSource {
  /** The dense model, whose tensors beside its feed-forward networks have the names of the mixture. */
  readonly network: Checkpoint;
  /** Text that the model is good at. */
  readonly text: DataSet;
}

/**
 * Fits the experts of a mixture to its shared layers, in closed form: a mixture has one attention, one
 * embedding and one output head for all experts, so that an expert gets other inputs than in its model. The
 * last matrix of each expert is changed such that the residual stream after each layer is as close as possible
 * to that of its own model on its text, layer by layer, with all tokens at that expert.
 *
 * For hidden units `h` and wanted additions `t` it is the minimum of `|t - W h|^2 + ridge * d * |W - W_0|^2`,
 * with `d` the mean square of a hidden unit. Routers do not change; fit them afterwards.
 *
 * Source: ours. It is to experts what RegMean++ (Nguyen et al., 2025) is to merged layers: a regression on the
 * inputs that the merged network itself computes.
 * @param mixture - network with a tensor for every weight of the graph
 * @param sources - model and text of each expert, in the order of experts
 * @returns mixture with other last matrices of experts
 * @throws UsageError if there are not as many sources as experts
 * @throws InputError if the data do not fit the graph, or an activation is not finite
 * @throws UnsupportedError if the graph has no routers, or its experts have another form
 */
export async function fitExperts(
  { graph, engine }: Architecture,
  mixture: Checkpoint,
  sources: readonly ExpertSource[],
  options: FitExpertsOptions = {},
): Promise<Checkpoint> {
  const resolved = resolveOptions("fit experts", FIT_EXPERTS_DEFAULTS, options);
  const { ridge, onProgress, threads } = resolved;
  if (!(ridge > 0 && Number.isFinite(ridge)))
    throw new OutOfRangeError(`Cannot fit experts as "ridge" must be above 0: it is ${ridge}`);
  const routers = findRouters(graph);
  if (sources.length !== routers[0].experts) {
    throw new UsageError(
      `Cannot fit experts as there must be a model and a text for each of the ${routers[0].experts} experts: got ${sources.length}`,
    );
  }
  const layers = routers.map((router) => findStreams(graph, router));
  const products = createProducts(engine, threads);
  const fitted = new Map<string, Tensor>();
  try {
    for (const [expert, { network, text }] of sources.entries()) {
      const forced = forceExpert(graph, routers, expert);
      const own = replaceShared(mixture, network);
      for (const [i, layer] of layers.entries()) {
        const work = { graph: forced, engine, layer, expert, text };
        const networks = { current: withTensors(mixture, fitted), own };
        const down = await fitDown(work, networks, { ...resolved, products });
        fitted.set(at(layer.downs, expert, "expert"), down);
        onProgress?.({ done: (expert + (i + 1) / layers.length) / sources.length });
      }
    }
  } finally {
    await products.release();
  }
  return withTensors(mixture, fitted);
}

/** A matrix to fit: the last one of an expert in one layer. */
interface DownWork extends Architecture {
  readonly layer: LayerStreams;
  readonly expert: number;
  readonly text: DataSet;
}

/** Fits the last matrix of an expert in one layer. */
async function fitDown(
  { graph, engine, layer, expert, text }: DownWork,
  { current, own }: { readonly current: Checkpoint; readonly own: Checkpoint },
  options: Omit<Required<FitExpertsOptions>, "onProgress"> & { readonly products: MatrixProducts },
): Promise<Tensor> {
  const { products, ridge, batchSize, threads, signal } = options;
  const units = at(layer.units, expert, "expert");
  const run = (network: Checkpoint, values: readonly string[]) => ({
    ...{ graph, engine, network },
    views: values.map((value) => ({ value, axes: [-1] })),
  });
  const reading = { batchSize, threads, signal };
  const measure = async (network: Checkpoint, values: readonly string[]) => {
    const left = run(
      current,
      values.map(() => units),
    );
    const found = await crossStatistics([left, run(network, values)], text, reading);
    return found.map(({ a, b, covariance }) => productsOf(a.mean, b.mean, covariance));
  };
  const mixed = await measure(current, [units, layer.before]);
  const after = at(await measure(own, [layer.after]), 0);
  const [gram, before] = [at(mixed, 0), at(mixed, 1)];
  const name = at(layer.downs, expert, "expert");
  const { data, dtype } = await current.read(name);
  const shape = entry(current.tensors, name, "weight").shape;
  const [width = 0, hidden = 0] = shape;
  const former = transposeMatrix(createMatrix(width, hidden, toFloat64(data, dtype)));
  const pull =
    (ridge * sumOf(Array.from({ length: hidden }, (_, i) => at(gram.data, i * (hidden + 1))))) / hidden;
  for (let i = 0; i < hidden; i++) gram.data[i * (hidden + 1)] = at(gram.data, i * (hidden + 1)) + pull;
  const right = former.data.map((value, i) => at(after.data, i) - at(before.data, i) + pull * value);
  const solved = await solvePositiveDefinite(
    gram,
    createMatrix(hidden, width, Float64Array.from(right)),
    products,
  );
  if (solved === undefined) {
    throw new OutOfRangeError(
      `Cannot fit "${name}" as the products of its inputs must be positive definite with the ridge: they are not with ${ridge}; give a larger ridge, or more text`,
    );
  }
  return createTensor("f64", shape, Float64Array.from(transposeMatrix(solved).data));
}

/** Turns covariances into mean products about 0, `[units of a, units of b]`. */
function productsOf(a: Float64Array, b: Float64Array, covariance: Float64Array): Matrix {
  const data = covariance.map((value, place) => {
    const column = place % b.length;
    return value + at(a, (place - column) / b.length) * at(b, column);
  });
  return createMatrix(a.length, b.length, data);
}

/** Returns the mixture with all tensors that a dense model has under the same name and shape taken from it. */
function replaceShared(mixture: Checkpoint, dense: Checkpoint): Checkpoint {
  const sourceOf = (name: string) => {
    const [ours, theirs] = [mixture.tensors.get(name), dense.tensors.get(name)];
    return ours !== undefined && theirs !== undefined && sameShape(ours.shape, theirs.shape)
      ? dense
      : mixture;
  };
  const tensors = new Map(
    [...mixture.tensors.keys()].map((name) => [name, entry(sourceOf(name).tensors, name, "tensor")]),
  );
  return defineCheckpoint({
    source: dense.source,
    tensors,
    metadata: {},
    inputs: [mixture, dense],
    readInto: (name, begin, out) => sourceOf(name).readRangeInto(name, begin, out),
  });
}
