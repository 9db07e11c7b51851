import { createRandom } from "@isthmus/core";
import type { Matrix, MatrixProducts } from "@isthmus/linear-algebra";
import type { Measure } from "./measure.ts";
import { nearestRows, rankOfEqual } from "./neighbours.ts";

/** Options of {@link relativeMeasure}. */
export interface RelativeOptions {
  /** Number of samples that are drawn as anchors; at most half of all samples become anchors. */
  readonly anchors: number;
  /** Number of nearest other samples whose Jaccard index is measured. */
  readonly neighbours: number;
  /** Seed by which the anchors are drawn among the samples. */
  readonly seed: number;
}

/** Relative representations of samples: their cosines with anchors, each row scaled to length 1. */
interface RelativeForm {
  readonly rows: Matrix;
  /** Indices of the nearest other samples of each sample, `[samples, neighbours]`, rising. */
  readonly nearest: readonly Int32Array[];
  readonly products: MatrixProducts;
}

/**
 * Creates relative representations (Moschella et al., 2023): every sample is represented by its cosines with
 * anchors, which are samples drawn by a seed, and the other samples are compared by these representations.
 * The numbers are the mean cosine of a sample in A and in B; the mean reciprocal rank of a sample of B among
 * all samples of B by their cosine with the same sample of A; and the mean Jaccard index of the nearest
 * neighbours of a sample in A and in B.
 */
export function relativeMeasure({ anchors, neighbours, seed }: RelativeOptions): Measure<RelativeForm> {
  return {
    async prepare({ gram, samples, products }) {
      const rows = relativeRows(await gram(), splitSamples(samples, anchors, seed));
      const cosines = await products.multiply(rows, rows, { transposeRight: true });
      return { rows, nearest: nearestRows(cosines, neighbours), products };
    },
    async compare(a, b) {
      const cosines = await a.products.multiply(a.rows, b.rows, { transposeRight: true });
      const { rows: samples, data } = cosines;
      const mean = (of: (sample: number) => number) => {
        let sum = 0;
        for (let i = 0; i < samples; i++) sum += of(i);
        return sum / samples;
      };
      return {
        "relative-cosine": mean((i) => data[i * samples + i] as number),
        "relative-mrr": mean((i) => 1 / rankOfEqual(data.subarray(i * samples, (i + 1) * samples), i)),
        "relative-jaccard": mean((i) => jaccard(a.nearest[i], b.nearest[i])),
      };
    },
  };
}

interface SplitSamples {
  readonly anchors: Int32Array;
  readonly others: Int32Array;
}

/** Draws anchors, at most half of the samples, and returns the other samples beside them. */
function splitSamples(samples: number, anchors: number, seed: number): SplitSamples {
  const order = createRandom(seed, "anchors").shuffleInPlace(
    Int32Array.from({ length: samples }, (_, i) => i),
  );
  const count = Math.min(anchors, Math.floor(samples / 2));
  return { anchors: order.slice(0, count).sort(), others: order.slice(count).sort() };
}

function relativeRows({ rows: n, data }: Matrix, { anchors, others }: SplitSamples): Matrix {
  const lengthOf = (i: number) => Math.sqrt(Math.max(0, data[i * n + i] as number));
  const rows = new Float64Array(others.length * anchors.length);
  others.forEach((sample, row) => {
    const relative = rows.subarray(row * anchors.length, (row + 1) * anchors.length);
    let square = 0;
    anchors.forEach((anchor, column) => {
      const lengths = lengthOf(sample) * lengthOf(anchor);
      const cosine = lengths > 0 ? (data[sample * n + anchor] as number) / lengths : 0;
      relative[column] = cosine;
      square += cosine ** 2;
    });
    if (square > 0)
      for (let j = 0; j < relative.length; j++) relative[j] = (relative[j] as number) / Math.sqrt(square);
  });
  return { rows: others.length, columns: anchors.length, data: rows };
}

function jaccard(a: Int32Array = new Int32Array(), b: Int32Array = new Int32Array()): number {
  const inA = new Set(a);
  const both = b.filter((sample) => inA.has(sample)).length;
  return both / (a.length + b.length - both);
}
