import { at, createRandom, type Random } from "@isthmus/core";
import { addColumn, dotColumn } from "./kernels/columns.ts";
import type { Projection, ProjectionShape } from "./projection.ts";

/**
 * Largest number of elements of a matrix that is held in memory, 256 MB; the columns of a larger matrix are
 * drawn again for every product.
 */
const KEPT_NUMBERS = 2 ** 26;

/**
 * Creates a matrix of normal numbers whose columns have length 1. Each column is drawn from a stream of its
 * own, so that the matrix is the same whether or not it is held in memory.
 * @param memory - largest number of elements of a matrix that is held in memory
 */
export function createDenseProjection(
  { rows, columns, seed, label }: ProjectionShape,
  memory: number = KEPT_NUMBERS,
): Projection {
  const draw = (j: number, out: Float32Array) =>
    drawDirectionInto(createRandom(seed, `${label} column ${j}`), out);
  const scratch = new Float32Array(rows);
  const sum = new Float64Array(rows);
  const matrix =
    rows * columns <= memory
      ? Array.from({ length: columns }, (_, j) => draw(j, new Float32Array(rows)))
      : undefined;
  const column = (j: number) => (matrix === undefined ? draw(j, scratch) : at(matrix, j, "column"));
  return {
    rows,
    columns,
    multiplyInto(z, out) {
      sum.fill(0);
      // A column that is not held in memory need not be drawn if its factor is 0.
      z.forEach((factor, j) => {
        if (factor !== 0) addColumn(column(j), factor, sum);
      });
      out.set(sum);
    },
    multiplyTransposedInto(y, out) {
      for (let j = 0; j < columns; j++) out[j] = dotColumn(column(j), y);
    },
  };
}

/** Draws a direction, uniform on the sphere: normal numbers, two from each pair of uniform ones, scaled. */
function drawDirectionInto(random: Random, out: Float32Array): Float32Array {
  let squares = 0;
  for (let i = 0; i < out.length; i += 2) {
    const radius = Math.sqrt(-2 * Math.log(1 - random.uniform()));
    const angle = 2 * Math.PI * random.uniform();
    const first = radius * Math.cos(angle);
    const second = radius * Math.sin(angle);
    out[i] = first;
    squares += first * first;
    if (i + 1 === out.length) break;
    out[i + 1] = second;
    squares += second * second;
  }
  const scale = 1 / Math.sqrt(squares);
  for (let i = 0; i < out.length; i++) out[i] = (out[i] as number) * scale;
  return out;
}
