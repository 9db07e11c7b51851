import { DTYPES, type DType, InputError, type TensorInfo } from "@isthmus/core";
import type { DataSet } from "../data-set.ts";
import { describeValue } from "../ir/describe-value.ts";
import type { Graph, ValueInfo } from "../ir/graph.ts";

/** Values for an input that the data lack. */
export type Filling = "ones" | "zeros" | "positions";

/** An input that the data lack, and its values. */
export interface FilledInput {
  /** Name of the input of the graph. */
  readonly name: string;
  /** Values that it gets: ones, zeros, or positions counted from 0. */
  readonly filling: Filling;
}

/** Source of an input of a graph: the inputs of a batch, one of its further arrays, or a filling. */
export type InputSource =
  | { /** Tag of the input that takes the inputs of the batch. */ readonly kind: "inputs" }
  | {
      /** Tag of an input that takes a further array of the batch. */
      readonly kind: "feature";
      /** Name of the array in the data set. */
      readonly name: string;
    }
  | {
      /** Tag of an input that the data lack. */
      readonly kind: "filled";
      /** Values that it gets: ones, zeros, or positions counted from 0. */
      readonly filling: Filling;
    };

/** An input of a graph and its source. */
export interface MatchedInput {
  /** Name, type and extents of the input in the graph. */
  readonly input: ValueInfo;
  /** Source of its values in the data set. */
  readonly source: InputSource;
}

/**
 * Finds the array of a data set for each input of a graph: the array of its name; a single remaining input
 * takes the inputs of the data set, even if their names differ. Inputs that exporters of language models
 * always add and data seldom contain are filled in: an attention mask by ones, positions by counting, token
 * types by zeros.
 *
 * @param attempt - name of the attempt for messages, for example `evaluate`
 * @throws InputError if there is no array for an input; the message lists the inputs and the arrays
 */
export function matchInputs(attempt: string, graph: Graph, data: DataSet): MatchedInput[] {
  const { inputs } = graph;
  if (inputs.length === 0) throw unmatched(attempt, { graph, data, missing: [] });
  const sources = new Map<ValueInfo, InputSource>();
  for (const input of inputs) {
    if (input.name === data.inputName) sources.set(input, { kind: "inputs" });
    else if (data.features?.has(input.name)) sources.set(input, { kind: "feature", name: input.name });
  }
  const isFed = [...sources.values()].some(({ kind }) => kind === "inputs");
  const open = inputs.filter((input) => !sources.has(input));
  const main = isFed ? undefined : (open.find((input) => fillingOf(input) === undefined) ?? open[0]);
  if (main !== undefined) sources.set(main, { kind: "inputs" });
  for (const input of open) {
    const filling = input === main ? undefined : fillingOf(input);
    if (filling !== undefined) sources.set(input, { kind: "filled", filling });
  }
  const missing = inputs.filter((input) => !sources.has(input));
  if (missing.length > 0) throw unmatched(attempt, { graph, data, missing });
  return inputs.flatMap((input) => {
    const source = sources.get(input);
    return source === undefined ? [] : [{ input, source }];
  });
}

/** Returns the filling of an input by the names that exporters use; undefined for other inputs. */
function fillingOf({ name, dtype = "i64", shape = [] }: ValueInfo): Filling | undefined {
  const isWhole = !DTYPES[dtype].float;
  if (/mask/i.test(name) && shape.length === 2) return "ones";
  if (/(position_ids|cache_position)/i.test(name) && isWhole && shape.length <= 2) return "positions";
  return /token_type_ids/i.test(name) && isWhole && shape.length === 2 ? "zeros" : undefined;
}

/** Describes names and types of the arrays of a data set, for messages. */
function describeArrays(data: DataSet): string {
  const { inputName = "inputs", features = new Map<string, TensorInfo>(), exampleShape } = data;
  const dtype: DType = data.read(0, 1).inputs.dtype;
  return [[inputName, { dtype, shape: exampleShape }] as const, ...features]
    .map(([name, info]) => describeValue({ name, dtype: info.dtype, shape: ["N", ...info.shape] }))
    .join(", ");
}

function unmatched(
  attempt: string,
  {
    graph,
    data,
    missing,
  }: { readonly graph: Graph; readonly data: DataSet; readonly missing: readonly ValueInfo[] },
): InputError {
  const inputs = graph.inputs.map(describeValue).join(", ") || "none";
  const names = missing.map(({ name }) => `"${name}"`).join(", ");
  const rule =
    missing.length === 0
      ? "it must have a data input"
      : `the data must hold what it is fed: there is nothing for ${names}`;
  return new InputError(
    `Cannot ${attempt} graph "${graph.name}" on "${data.name}" as ${rule}; its inputs are ${inputs}, the arrays ${describeArrays(data)}; name arrays after inputs`,
    { input: data.name },
  );
}
