import { createRandom, type Random } from "@isthmus/core";
import { addSignProduct, type SignColumns, signTransposedInto } from "./kernels/columns.ts";
import type { Projection, ProjectionShape } from "./projection.ts";

/**
 * Creates a matrix with a sign at every place with probability `1 / sqrt(rows)`, else 0, whose columns are
 * scaled to length 1. Its entries take 4 bytes each, some `4 columns sqrt(rows)` in all.
 * @see Li, Hastie and Church, Very sparse random projections, 2006
 */
export function createSparseProjection({ rows, columns, seed, label }: ProjectionShape): Projection {
  const signs = drawSigns(createRandom(seed, label), rows, columns);
  return {
    rows,
    columns,
    multiplyInto(z, out) {
      out.fill(0);
      addSignProduct(signs, z, out);
    },
    multiplyTransposedInto: (y, out) => signTransposedInto(signs, y, out),
  };
}

function drawSigns(random: Random, rows: number, columns: number): SignColumns {
  const begins = new Uint32Array(columns + 1);
  const sizes = new Float32Array(columns);
  const entries: number[] = [];
  // The distance to the next entry has a geometric distribution. With a single row the logarithm is infinite,
  // as every place has an entry.
  const logOfNone = Math.log1p(-1 / Math.sqrt(rows));
  const gap = () => (rows === 1 ? 0 : Math.floor(Math.log(1 - random.uniform()) / logOfNone));
  for (let j = 0; j < columns; j++) {
    const begin = entries.length;
    for (let row = gap(); row < rows; row += 1 + gap()) entries.push(2 * row + random.integer(2));
    // A column of zeros would be a coordinate without effect.
    if (entries.length === begin) entries.push(2 * random.integer(rows) + random.integer(2));
    begins[j + 1] = entries.length;
    sizes[j] = 1 / Math.sqrt(entries.length - begin);
  }
  return { begins, entries: Uint32Array.from(entries), sizes };
}
