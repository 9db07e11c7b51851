import { at, type Checkpoint, entry, InvariantError, sizeOf, sumOf } from "@isthmus/core";
import { joinColumns, type Matrix, multiply } from "@isthmus/linear-algebra";
import type { Factors } from "@isthmus/merging";
import type { FactorPair } from "./factor-pairs.ts";
import { joinRows } from "./low-rank.ts";

/** Inputs of {@link addProductGram}. */
export interface ProductGramSource {
  /** Global network, for the extents of the factors. */
  readonly network: Checkpoint;
  /** Pairs whose products are measured. */
  readonly pairs: readonly FactorPair[];
  /** Number of points. */
  readonly count: number;
  /** Reads the factors of a point in a pair: of the displacement of a client, or of a carried aggregate. */
  readonly read: (pair: FactorPair, point: number) => Promise<Factors>;
  /** Whether only norms are needed, so that nothing is added to entries off the diagonal of the matrix. */
  readonly onlyNorms: boolean;
  /** Number of bytes that the factors of points may take at once, if more than one point does not fit. */
  readonly memory: number;
  /** Signal that stops the measurement between two pairs. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Adds the inner products of low-rank matrices to a Gram matrix, `[count, count]`, without computing any of
 * them: `<L1 R1, L2 R2>` is the sum of the elements of `L1' L2`, each times that of `R1 R2'` at
 * its place.
 */
export async function addProductGram(gram: Float64Array, source: ProductGramSource): Promise<void> {
  for (const pair of source.pairs) await addPair(gram, source, pair);
}

async function addPair(
  gram: Float64Array,
  { network, count, read, onlyNorms, memory, signal }: ProductGramSource,
  pair: FactorPair,
): Promise<void> {
  const sizes = [pair.a, pair.b].map((name) => sizeOf(entry(network.tensors, name, "tensor").shape));
  // Displacements have twice the rank, and are held twice while they are joined.
  const tile = onlyNorms ? 1 : Math.max(1, Math.floor(memory / (2 * 8 * 4 * sumOf(sizes))));
  const readFrom = (first: number) => readTile(pair, read, first, Math.min(count, first + tile));
  for (let top = 0; top < count; top += tile) {
    signal?.throwIfAborted();
    const of = await readFrom(top);
    for (let begin = onlyNorms ? top : 0; begin < top; begin += tile) {
      addTile(gram, count, of, await readFrom(begin));
    }
    addTile(gram, count, of, of);
  }
}

/** Factors of some points beside each other, with the columns at which each point begins. */
interface Tile extends Factors {
  readonly first: number;
  readonly begins: readonly number[];
}

async function readTile(
  pair: FactorPair,
  read: ProductGramSource["read"],
  first: number,
  end: number,
): Promise<Tile> {
  const points: Factors[] = [];
  for (let point = first; point < end; point++) points.push(await read(pair, point));
  const [head, ...rest] = points;
  if (head === undefined) throw new InvariantError("a tile has no points");
  const begins = [0];
  for (const { left } of points) begins.push(at(begins, begins.length - 1) + left.columns);
  return {
    left: joinColumns([head.left, ...rest.map(({ left }) => left)]),
    right: joinRows([head.right, ...rest.map(({ right }) => right)]),
    first,
    begins,
  };
}

function addTile(gram: Float64Array, count: number, of: Tile, others: Tile): void {
  const ofLeft = multiply(of.left, others.left, { transposeLeft: true });
  const ofRight = multiply(of.right, others.right, { transposeRight: true });
  for (let i = 0; i + 1 < of.begins.length; i++) {
    for (let j = 0; j + 1 < others.begins.length; j++) {
      const [row, column] = [of.first + i, others.first + j];
      if (column > row) break;
      const rows = [at(of.begins, i), at(of.begins, i + 1)] as const;
      const sum = sumOfProducts(ofLeft, ofRight, rows, [at(others.begins, j), at(others.begins, j + 1)]);
      gram[row * count + column] = at(gram, row * count + column) + sum;
      if (row !== column) gram[column * count + row] = at(gram, column * count + row) + sum;
    }
  }
}

type Range = readonly [begin: number, end: number];

/** Sums the products of the elements of two matrices in a range of rows and columns. */
function sumOfProducts(a: Matrix, b: Matrix, [top, bottom]: Range, [begin, end]: Range): number {
  let sum = 0;
  for (let k = top; k < bottom; k++) {
    for (let l = begin; l < end; l++) {
      const place = k * a.columns + l;
      sum += (a.data[place] as number) * (b.data[place] as number);
    }
  }
  return sum;
}
