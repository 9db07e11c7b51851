import {
  assertSameStructure,
  assertWholeOptions,
  at,
  type Checkpoint,
  DTYPES,
  entry,
  MismatchError,
  matchesAny,
  sizeOf,
  type TensorInfo,
  toFloat32,
} from "@isthmus/core";
import {
  createMatrix,
  type Matrix,
  type MatrixProducts,
  plainProducts,
  type RangeFinderOptions,
  transposeMatrix,
  truncatedSvd,
} from "@isthmus/linear-algebra";
import { subtract } from "../matrices/kernels/task-vectors.ts";
import type { Adapter } from "./adapter.ts";
import { type BuiltModule, buildAdapter } from "./build-adapter.ts";
import type { Factors } from "./factors.ts";

/** Options of {@link extractAdapter}. */
export interface ExtractAdapterOptions {
  /** Rank of every module; a module whose weight has a smaller rank gets the smaller one. */
  readonly rank: number;
  /** Names of weights that are extracted, with `*` for any characters. @defaultValue all matrices */
  readonly include?: readonly string[];
  /** Names of weights that are not extracted, with `*` for any characters. @defaultValue none */
  readonly exclude?: readonly string[];
  /**
   * Names of the weights of embeddings, which PEFT stores in another form. @defaultValue `*embed*`, `*wte*`,
   * `*wpe*`
   */
  readonly embeddings?: readonly string[];
  /** Multiplier of matrices. @defaultValue `plainProducts` */
  readonly products?: MatrixProducts;
  /** Options of the search for singular vectors: power iterations and seed. */
  readonly search?: RangeFinderOptions;
}

/** Result of {@link extractAdapter}. */
export interface ExtractAdapterResult {
  /** Adapter whose matrices are computed when they are read. */
  readonly adapter: Adapter;
  /** Names of floating-point tensors that are not in the adapter, such as vectors and excluded matrices. */
  readonly leftOut: readonly string[];
}

const EMBEDDINGS = ["*embed*", "*wte*", "*wpe*"];

/**
 * Extracts the difference of a network from its base as a LoRA adapter, lazily: each module is computed when
 * it is read, from the largest singular values of its difference, `B = U sqrt(S)` and `A = sqrt(S) V^T`.
 *
 * `saveAdapter` saves the result. Tensors other than matrices, such as norms and biases, are left out and
 * listed.
 * @throws MismatchError if names or shapes differ, or no matrix is extracted
 *
 * Source: Eckart and Young, The approximation of one matrix by another of lower rank, 1936.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createCheckpoint, createTensor } from "@isthmus/core";
 * import { extractAdapter } from "@isthmus/merging";
 *
 * const network = (...w: number[]) =>
 *   createCheckpoint({ "q.weight": createTensor("f32", [2, 2], Float32Array.from(w)) });
 * const base = network(1, 0, 0, 1);
 * const { adapter, leftOut } = extractAdapter(network(1, 2, 0, 1), base, { rank: 1 });
 * assert.equal(adapter.modules.size, 1);
 * assert.deepEqual(leftOut, []); // tensors that changed and are no matrices
 * ```
 */
export function extractAdapter(
  network: Checkpoint,
  base: Checkpoint,
  options: ExtractAdapterOptions,
): ExtractAdapterResult {
  const { rank, include = ["*"], exclude = [] } = options;
  assertWholeOptions("extract an adapter", { rank }, { rank: 1 });
  assertSameStructure(network, base);
  const floats = [...network.tensors].filter(([, { dtype }]) => DTYPES[dtype].float);
  const isExtracted = (name: string, { shape }: TensorInfo) =>
    shape.length === 2 &&
    sizeOf(shape) > 0 &&
    name.endsWith(".weight") &&
    matchesAny(include, name) &&
    !matchesAny(exclude, name);
  const modules = floats
    .filter(([name, info]) => isExtracted(name, info))
    .map(([name, info]) => describeModule(network, base, { name, info }, options));
  if (modules.length === 0) {
    throw new MismatchError(
      `Cannot extract an adapter from "${network.source}" as there must be matrices "NAME.weight" that are included: there are none`,
      { parameters: [...network.tensors.keys()] },
    );
  }
  const source = `adapter of ${network.source}`;
  return {
    adapter: buildAdapter({
      source,
      modules,
      inputs: [network, base],
      passedOn: { base_model_name_or_path: base.source },
    }),
    leftOut: floats.filter(([name, info]) => !isExtracted(name, info)).map(([name]) => name),
  };
}

function describeModule(
  network: Checkpoint,
  base: Checkpoint,
  { name, info }: { readonly name: string; readonly info: TensorInfo },
  { rank, embeddings = EMBEDDINGS, products = plainProducts, search = {} }: ExtractAdapterOptions,
): BuiltModule {
  const rows = at(info.shape, 0, "extent");
  const columns = at(info.shape, 1, "extent");
  const isEmbedding = matchesAny(embeddings, name);
  const [out, from] = isEmbedding ? [columns, rows] : [rows, columns];
  const least = Math.min(rank, rows, columns);
  return {
    name: name.slice(0, -".weight".length),
    kind: isEmbedding ? "embedding" : "linear",
    shapes: { a: [least, from], b: [out, least] },
    dtype: info.dtype,
    async compute(): Promise<Factors> {
      const difference = await readDifference(network, base, name, { rows, columns });
      const { left, values, right } = await truncatedSvd(difference, least, products, search);
      const roots = values.map(Math.sqrt);
      const outer = { left: scaled(left, roots), right: transposeMatrix(scaled(right, roots)) };
      return isEmbedding ? { left: transposeMatrix(outer.right), right: transposeMatrix(outer.left) } : outer;
    },
  };
}

async function readDifference(
  network: Checkpoint,
  base: Checkpoint,
  name: string,
  { rows, columns }: Pick<Matrix, "rows" | "columns">,
): Promise<Matrix> {
  const read = async (of: Checkpoint) => {
    const { data } = await of.read(name);
    return toFloat32(data, entry(of.tensors, name, "tensor").dtype);
  };
  const difference = await read(network);
  subtract(difference, await read(base));
  return createMatrix(rows, columns, difference);
}

/** Copies a matrix with each column multiplied by a factor. */
function scaled(matrix: Matrix, factors: Float64Array): Matrix {
  const { columns } = matrix;
  return {
    ...matrix,
    data: matrix.data.map((x: number, i: number) => x * at(factors, i % columns, "factor")) as Matrix["data"],
  };
}
