import { at, entry, InputError, sumOf, type Tensor, toFloat32 } from "@isthmus/core";
import type { DataSet } from "@isthmus/graph";
import { createMatrix, type Matrix } from "@isthmus/linear-algebra";
import { type ActivationStatisticsOptions, type VisitedNetwork, visitActivations } from "@isthmus/statistics";

/**
 * Reads values that a network computes for all tokens of a text.
 * @returns for each value a matrix f32 with a row for each token
 * @throws InputError if the data do not fit the graph, or a number is not finite
 */
export async function readRows(
  visited: VisitedNetwork,
  text: DataSet,
  options: ActivationStatisticsOptions,
): Promise<ReadonlyMap<string, Matrix>> {
  const batches = new Map(visited.values.map((value): [string, Matrix[]] => [value, []]));
  await visitActivations([visited], text, options, async ([batch = new Map<string, Tensor>()]) => {
    for (const [value, parts] of batches) {
      const tensor = entry(batch, value, "value");
      const data = finiteNumbers(tensor, visited.network.source);
      const width = at(tensor.shape, tensor.shape.length - 1, "axis");
      parts.push(createMatrix(data.length / width, width, data));
    }
  });
  return new Map([...batches].map(([value, parts]) => [value, joinRows(parts)]));
}

/**
 * Returns the numbers of a value that a network computed.
 * @param source - name of the network, for messages
 * @throws InputError if a number is not finite
 */
export function finiteNumbers({ data, dtype }: Tensor, source: string): Float32Array {
  const numbers = toFloat32(data, dtype);
  if (numbers.every(Number.isFinite)) return numbers;
  throw new InputError(
    `Cannot use what "${source}" computes for its routers as all must be finite numbers: they are not`,
    { input: source },
  );
}

/** Joins rows that were read in batches. */
function joinRows(parts: readonly Matrix[]): Matrix {
  const { columns } = at(parts, 0, "batch");
  const joined = new Float32Array(sumOf(parts.map(({ data }) => data.length)));
  let begin = 0;
  for (const { data } of parts) {
    joined.set(data, begin);
    begin += data.length;
  }
  return createMatrix(joined.length / columns, columns, joined);
}
