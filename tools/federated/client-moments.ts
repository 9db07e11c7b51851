import { at, type Checkpoint, createCheckpoint, createTensor, type Tensor } from "@isthmus/core";
import type { Architecture, DataSet, Graph } from "@isthmus/graph";
import { pairStatistics } from "@isthmus/statistics";

/** A linear layer of a graph, with the names of its tensors and of the value it is applied to. */
export interface LinearLayer {
  readonly weight: string;
  readonly bias: string;
  readonly input: string;
}

/** What a client measures of the inputs of one of its layers, on its own examples. */
export interface Moments {
  /** Number of examples. */
  readonly count: number;
  /** Mean of each input, `[inputs]`. */
  readonly mean: Float64Array;
  /** Covariances of all pairs of inputs, `[inputs, inputs]`. */
  readonly covariance: Float64Array;
}

/** Most inputs of a layer whose moments a client sends: of more, they are larger than most networks. */
const MOST_INPUTS = 1024;

/** Finds the linear layers with a bias, of weights `[outputs, inputs]` and not too many inputs. */
export function findLinearLayers(graph: Graph): LinearLayer[] {
  const layers: LinearLayer[] = [];
  for (const { op, inputs } of graph.nodes) {
    const [input = "", weight = "", bias = ""] = inputs;
    const [, width = 0] = graph.weights.get(weight)?.shape ?? [];
    const isNarrow = width <= MOST_INPUTS;
    if (op === "Gemm" && graph.weights.has(bias) && isNarrow) layers.push({ weight, bias, input });
  }
  return layers;
}

/** Measures what a client sends beside its network: moments of the inputs of each of some layers. */
export async function measureMoments(
  architecture: Architecture,
  network: Checkpoint,
  data: DataSet,
  layers: readonly LinearLayer[],
): Promise<Moments[]> {
  const views = layers.map(({ input }) => ({ value: input, axes: [-1] }));
  const pairs = await pairStatistics(architecture, [network, network], data, { views });
  return pairs.map(({ a: { count, mean }, covariance }) => ({
    count,
    mean,
    covariance: symmetric(covariance),
  }));
}

function symmetric(matrix: Float64Array): Float64Array {
  const n = Math.sqrt(matrix.length);
  return matrix.map((x, p) => (x + at(matrix, (p % n) * n + Math.floor(p / n))) / 2);
}

/** Returns moments whose inputs are in another order, or of some of them. */
export function selectMoments({ count, mean, covariance }: Moments, from: ArrayLike<number>): Moments {
  const [n, m] = [mean.length, from.length];
  return {
    count,
    mean: Float64Array.from(from, (u) => at(mean, u)),
    covariance: Float64Array.from({ length: m * m }, (_, p) =>
      at(covariance, at(from, Math.floor(p / m)) * n + at(from, p % m)),
    ),
  };
}

/** Joins moments of several clients as if their examples were one client's (Chan et al. 1983). */
export function poolMoments(parts: readonly Moments[]): Moments {
  const counts = parts.map(({ count }) => count);
  const count = counts.reduce((sum, x) => sum + x, 0);
  const n = at(parts, 0).mean.length;
  const mean = new Float64Array(n);
  const covariance = new Float64Array(n * n);
  for (const [i, part] of parts.entries()) addScaled(mean, part.mean, at(counts, i) / count);
  for (const [i, part] of parts.entries()) {
    const share = at(counts, i) / count;
    addScaled(covariance, part.covariance, share);
    const away = part.mean.map((x, u) => x - at(mean, u));
    for (let u = 0; u < n; u++) {
      const factor = share * at(away, u);
      for (let v = 0; v < n; v++) covariance[u * n + v] = at(covariance, u * n + v) + factor * at(away, v);
    }
  }
  return { count, mean, covariance };
}

function addScaled(sum: Float64Array, values: Float64Array, factor: number): void {
  for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) + factor * (values[i] as number);
}

/** Bytes of moments as a client sends them: f32, and of symmetric matrices one half. */
export function bytesOfMoments(moments: readonly Moments[]): number {
  return moments.reduce((sum, { mean: { length: n } }) => sum + 4 * (n + (n * (n + 1)) / 2), 0);
}

/** Turns moments into a Gram matrix of inputs and a 1, under the name of a weight, times a factor. */
export function gramOf({ count, mean, covariance }: Moments, factor = 1): Tensor {
  const n = mean.length;
  const gram = new Float64Array((n + 1) ** 2);
  const scale = count * factor;
  for (let u = 0; u < n; u++) {
    for (let v = 0; v < n; v++) {
      gram[u * (n + 1) + v] = scale * (at(covariance, u * n + v) + at(mean, u) * at(mean, v));
    }
    gram[u * (n + 1) + n] = scale * at(mean, u);
    gram[n * (n + 1) + u] = scale * at(mean, u);
  }
  gram[(n + 1) ** 2 - 1] = scale;
  return createTensor("f64", [n + 1, n + 1], gram);
}

/** Returns a network of one layer, with the bias as one more column of the weight, from `rows`. */
export function withBiasColumn(
  weight: Tensor,
  bias: Tensor,
  rows: readonly [number, number] = [0, at(weight.shape, 0)],
): Checkpoint {
  const n = at(weight.shape, 1);
  const [begin, end] = rows;
  const data = new Float64Array((end - begin) * (n + 1));
  for (let row = begin; row < end; row++) {
    const place = (row - begin) * (n + 1);
    data.set(weight.data.subarray(row * n, (row + 1) * n) as Float32Array, place);
    data[place + n] = Number(bias.data[row]);
  }
  return createCheckpoint({ layer: createTensor("f64", [end - begin, n + 1], data) });
}

/** Stores moments as a checkpoint, to keep them in a file. */
export function storeMoments(moments: readonly Moments[]): Checkpoint {
  const tensors = moments.flatMap(({ count, mean, covariance }, l): [string, Tensor][] => [
    [`${l}.count`, createTensor("f64", [1], Float64Array.of(count))],
    [`${l}.mean`, createTensor("f64", [mean.length], mean)],
    [`${l}.covariance`, createTensor("f64", [mean.length, mean.length], covariance)],
  ]);
  return createCheckpoint(new Map(tensors), {}, "moments");
}

/** Reads moments that {@link storeMoments} stored. */
export async function readMoments(stored: Checkpoint): Promise<Moments[]> {
  const moments: Moments[] = [];
  const read = async (name: string) => (await stored.read(name)).data as Float64Array;
  for (let l = 0; stored.tensors.has(`${l}.count`); l++) {
    const [count = 0] = await read(`${l}.count`);
    moments.push({ count, mean: await read(`${l}.mean`), covariance: await read(`${l}.covariance`) });
  }
  return moments;
}
