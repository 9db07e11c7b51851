import { createRandom, type Random } from "@isthmus/core";
import { walshHadamardInPlace } from "./kernels/walsh-hadamard.ts";
import type { Projection, ProjectionShape } from "./projection.ts";

/** Least width of a block, unless there are fewer rows: a narrower block mixes too few numbers. */
const LEAST_WIDTH = 256;

/** A block `H G P H B`: Hadamard matrices, and diagonals and a permutation that are drawn at random. */
interface Block {
  /** Diagonal of `B`: signs `[columns]`. */
  readonly signs: Float32Array;
  /** Permutation `P`: the source index of each number, `[width]`. */
  readonly order: Uint32Array;
  /** Diagonal of `G`: normal numbers `[width]`, with all factors in them. */
  readonly factors: Float32Array;
}

/**
 * Creates a matrix of blocks `H G P H B`, one below the other, whose columns have length 1 except for the
 * rows of the last block that are cut off. A product costs `rows log(columns)`, and the matrix takes some 12
 * bytes of memory a row.
 * @see Le, Sarlos and Smola, Fastfood: approximate kernel expansions in loglinear time, 2013, section 3
 */
export function createFastfoodProjection({ rows, columns, seed, label }: ProjectionShape): Projection {
  const width = nextPower(Math.max(columns, Math.min(LEAST_WIDTH, rows)));
  const count = Math.ceil(rows / width);
  const random = createRandom(seed, label);
  const blocks = Array.from({ length: count }, () => drawBlock(random, columns, width));
  scaleInPlace(blocks, rows / width);
  const first = new Float32Array(width);
  const second = new Float32Array(width);
  const sum = new Float64Array(columns);
  return {
    rows,
    columns,
    multiplyInto(z, out) {
      blocks.forEach(({ signs, order, factors }, b) => {
        first.fill(0);
        for (let j = 0; j < columns; j++) first[j] = (z[j] as number) * (signs[j] as number);
        walshHadamardInPlace(first);
        for (let i = 0; i < width; i++) {
          second[i] = (first[order[i] as number] as number) * (factors[i] as number);
        }
        walshHadamardInPlace(second);
        const begin = b * width;
        out.set(begin + width <= rows ? second : second.subarray(0, rows - begin), begin);
      });
    },
    multiplyTransposedInto(y, out) {
      sum.fill(0);
      blocks.forEach(({ signs, order, factors }, b) => {
        second.fill(0);
        second.set(y.subarray(b * width, Math.min(rows, (b + 1) * width)));
        walshHadamardInPlace(second);
        for (let i = 0; i < width; i++) {
          first[order[i] as number] = (second[i] as number) * (factors[i] as number);
        }
        walshHadamardInPlace(first);
        for (let j = 0; j < columns; j++) {
          sum[j] = (sum[j] as number) + (first[j] as number) * (signs[j] as number);
        }
      });
      out.set(sum);
    },
  };
}

/** Returns the smallest power of 2 that is at least a number. */
const nextPower = (number: number): number => 2 ** Math.ceil(Math.log2(number));

function drawBlock(random: Random, columns: number, width: number): Block {
  return {
    signs: Float32Array.from({ length: columns }, () => 2 * random.integer(2) - 1),
    order: random.shuffleInPlace(Uint32Array.from({ length: width }, (_, i) => i)),
    factors: Float32Array.from({ length: width }, () => random.normal()),
  };
}

/**
 * Scales blocks so that columns have length 1: in a block, the square of the length of every column is the
 * mean of the squares of `G`, times the square of the width as `H` has no factors.
 * @param height - height of all blocks together, in widths
 */
function scaleInPlace(blocks: readonly Block[], height: number): void {
  let squares = 0;
  blocks.forEach(({ factors }, b) => {
    const mean = factors.reduce((sum, factor) => sum + factor * factor, 0) / factors.length;
    squares += mean * Math.min(1, height - b);
  });
  for (const { factors } of blocks) {
    const scale = 1 / (Math.sqrt(squares) * factors.length);
    for (let i = 0; i < factors.length; i++) factors[i] = (factors[i] as number) * scale;
  }
}
