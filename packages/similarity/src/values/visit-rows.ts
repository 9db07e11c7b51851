import { at } from "@isthmus/core";
import type { DataSet } from "@isthmus/graph";
import type { Matrix } from "@isthmus/linear-algebra";
import { type ActivationStatisticsOptions, visitActivations } from "@isthmus/statistics";
import type { PlannedNetwork, SimilarityPlan } from "./plan-layers.ts";
import { readRows } from "./value-layout.ts";

/** Options of {@link visitRows}. */
export interface VisitRowsOptions
  extends Pick<ActivationStatisticsOptions, "batchSize" | "signal" | "onProgress"> {
  /** Treatment of positions by which values are read as samples. */
  readonly choice: SimilarityPlan["choice"];
  /** Distance in rows from one sample to the next. */
  readonly stride: number;
}

/** Runs networks side by side, and calls `use` after each batch with the samples of each of their layers. */
export async function visitRows(
  networks: readonly PlannedNetwork[],
  data: DataSet,
  { choice, stride, ...options }: VisitRowsOptions,
  use: (samples: readonly Matrix[][]) => Promise<void>,
): Promise<void> {
  const visited = networks.map(({ layers, ...network }) => ({
    ...network,
    values: layers.map(({ name }) => name),
  }));
  let seen = 0;
  await visitActivations(visited, data, options, async (values) => {
    const rows = networks.map(({ layers }, n) =>
      layers.map(({ name, layout }) =>
        readRows(name, at(values, n, "network").get(name), { layout, choice }),
      ),
    );
    const first = (stride - (seen % stride)) % stride;
    seen += at(rows.flat(), 0, "layer").rows;
    await use(rows.map((all) => all.map((matrix) => everyRow(matrix, first, stride))));
  });
}

/** Selects every `stride`-th row from the row `first` on. */
function everyRow(matrix: Matrix, first: number, stride: number): Matrix {
  if (stride === 1) return matrix;
  const { rows, columns, data } = matrix;
  const count = Math.max(0, Math.ceil((rows - first) / stride));
  const taken = new Float32Array(count * columns);
  for (let i = 0; i < count; i++) {
    const begin = (first + i * stride) * columns;
    taken.set(data.subarray(begin, begin + columns), i * columns);
  }
  return { rows: count, columns, data: taken };
}
