import { at } from "@isthmus/core";
import type { Matrix, MatrixProducts } from "@isthmus/linear-algebra";
import { KERNELS, type KernelName } from "./cka.ts";
import { alignmentOf, hsic, type Kernel } from "./hsic.ts";
import { createRepresentation } from "./representation.ts";

/** Options of {@link createBlockCka}. */
export interface BlockCkaOptions {
  /** Number of samples in each block. */
  readonly block: number;
  /** Bandwidth of RBF CKA as a share of the median distance between two samples of a block. */
  readonly bandwidth: number;
  /** Kernels by which CKA is computed, each with sums of its own. */
  readonly kernels: readonly KernelName[];
  /** Functions that multiply matrices, such as by WebAssembly. */
  readonly products: MatrixProducts;
}

/** Computation of CKA from blocks of samples. */
export interface BlockCka {
  /**
   * Adds samples of every representation on the left, and the same samples of every representation on the
   * right.
   */
  add(left: readonly Matrix[], right: readonly Matrix[]): Promise<void>;
  /** Returns CKA by each kernel, `[left][right]`; samples of an incomplete block do not count. */
  result(): ReadonlyMap<KernelName, (number | null)[][]>;
}

/** Sums of HSIC over blocks. */
interface BlockSums {
  readonly left: Float64Array;
  readonly right: Float64Array;
  readonly both: readonly Float64Array[];
}

/**
 * Creates minibatch CKA (Nguyen et al., 2021): the unbiased HSIC of each block of samples, averaged over
 * blocks, then their ratio. Memory grows neither with the number of samples nor with the square of the number
 * of features.
 */
export function createBlockCka({ block, bandwidth, kernels, products }: BlockCkaOptions): BlockCka {
  const sums = new Map<KernelName, BlockSums>();
  let waiting: readonly (readonly Matrix[])[] = [];
  const addBlock = async (sides: readonly (readonly Matrix[])[]) => {
    const [left = [], right = []] = await Promise.all(
      sides.map((side) => Promise.all(side.map((rows) => createRepresentation(rows, products)))),
    );
    for (const name of kernels) {
      const kernelsOf = (side: typeof left) => Promise.all(side.map((one) => KERNELS[name](one, bandwidth)));
      const sum = sums.get(name) ?? createSums(left.length, right.length);
      sums.set(name, sum);
      addSums(sum, await kernelsOf(left), await kernelsOf(right));
    }
  };
  return {
    async add(left, right) {
      const sides = [left, right].map((side, s) => side.map((rows, i) => joinRows(waiting[s]?.[i], rows)));
      const { rows } = at(sides.flat(), 0, "layer");
      let begin = 0;
      for (; begin + block <= rows; begin += block) {
        await addBlock(sides.map((side) => side.map((all) => sliceRows(all, begin, begin + block))));
      }
      waiting = sides.map((side) => side.map((all) => sliceRows(all, begin, rows)));
    },
    result: () => new Map([...sums].map(([name, sum]) => [name, alignmentsOf(sum)])),
  };
}

function createSums(left: number, right: number): BlockSums {
  return {
    left: new Float64Array(left),
    right: new Float64Array(right),
    both: Array.from({ length: left }, () => new Float64Array(right)),
  };
}

function addSums(sums: BlockSums, left: readonly Kernel[], right: readonly Kernel[]): void {
  const add = (target: Float64Array, index: number, k: Kernel, l: Kernel) => {
    target[index] = (target[index] as number) + hsic(k, l, "unbiased");
  };
  left.forEach((k, i) => {
    add(sums.left, i, k, k);
    right.forEach((l, j) => {
      add(at(sums.both, i, "representation"), j, k, l);
    });
  });
  right.forEach((l, j) => {
    add(sums.right, j, l, l);
  });
}

function alignmentsOf({ left, right, both }: BlockSums): (number | null)[][] {
  return both.map((row, i) =>
    Array.from(row, (sum, j) => alignmentOf(sum, [at(left, i, "sum"), at(right, j, "sum")])),
  );
}

function joinRows(first: Matrix | undefined, second: Matrix): Matrix {
  if (first === undefined || first.rows === 0) return second;
  const data =
    first.data instanceof Float64Array
      ? new Float64Array(first.data.length + second.data.length)
      : new Float32Array(first.data.length + second.data.length);
  data.set(first.data);
  data.set(second.data, first.data.length);
  return { rows: first.rows + second.rows, columns: first.columns, data };
}

function sliceRows({ columns, data }: Matrix, begin: number, end: number): Matrix {
  return { rows: end - begin, columns, data: data.slice(begin * columns, end * columns) };
}
