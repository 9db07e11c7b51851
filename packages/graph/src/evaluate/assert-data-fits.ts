import { assertWholeOptions, type DType, InputError } from "@isthmus/core";
import type { DataSet } from "../data-set.ts";
import type { Graph, ValueInfo } from "../ir/graph.ts";

/**
 * Checks that a graph can be run on a data set in batches.
 * @param attempt - what was attempted, for messages, for example `evaluate`
 * @throws InputError if the graph has not exactly one data input, if the data set is empty, if examples do not fit
 *   the input, or if the graph has a fixed batch of another size
 * @throws RangeError if `batchSize` is not a whole number of at least 1
 */
export function assertDataFits(attempt: string, graph: Graph, data: DataSet, batchSize: number): void {
  assertWholeOptions(attempt, { batchSize }, { batchSize: 1 });
  if (data.size === 0) {
    throw new InputError(`Cannot ${attempt} on "${data.name}" as it must have examples: it is empty`, {
      input: data.name,
    });
  }
  const input = dataInput(attempt, graph);
  assertExamplesFit(attempt, input, data);
  assertBatchFits(attempt, input, { data, batchSize });
}

function dataInput(attempt: string, graph: Graph): ValueInfo {
  const [input] = graph.inputs;
  if (input === undefined || graph.inputs.length !== 1) {
    throw new InputError(
      `Cannot ${attempt} graph "${graph.name}" as it must have one data input: it has ${graph.inputs.length}`,
      { input: graph.name },
    );
  }
  return input;
}

function assertExamplesFit(attempt: string, { name, dtype, shape }: ValueInfo, data: DataSet): void {
  const expected = shape?.slice(1);
  const fits =
    expected === undefined ||
    (expected.length === data.exampleShape.length &&
      expected.every((extent, axis) => typeof extent === "string" || extent === data.exampleShape[axis]));
  const got: DType = data.read(0, 1).inputs.dtype;
  if (fits && (dtype === undefined || dtype === got)) return;
  throw new InputError(
    `Cannot ${attempt} on "${data.name}" as its examples must fit the graph's input "${name}", ${dtype ?? ""} [${expected?.join(", ") ?? ""}]: they are ${got} [${data.exampleShape.join(", ")}]`,
    { input: data.name },
  );
}

/** Exporters that are not told otherwise fix the batch to that of their example. */
function assertBatchFits(
  attempt: string,
  { name, shape }: ValueInfo,
  { data, batchSize }: { readonly data: DataSet; readonly batchSize: number },
): void {
  const fixed = shape?.[0];
  if (typeof fixed !== "number" || (data.size % batchSize === 0 && fixed === batchSize)) return;
  if (fixed === data.size && batchSize >= fixed) return;
  throw new InputError(
    `Cannot ${attempt} on "${data.name}" as the graph's input "${name}" takes batches of ${fixed} examples: there are ${data.size} in batches of ${batchSize}, choose a batch size that fits or export the graph with a dynamic batch`,
    { input: data.name },
  );
}
