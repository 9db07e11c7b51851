import { DTYPES } from "@isthmus/core";
import type { Node, ValueInfo } from "../ir/graph.ts";

/** Use of an input of a graph by operators. */
type Use = "data" | "weight" | "either";

/** Operators whose first input is data and whose other inputs are weights. */
const LAYERS: ReadonlySet<string> = new Set(
  "Conv ConvTranspose Gemm MatMul BatchNormalization InstanceNormalization GroupNormalization LayerNormalization RMSNormalization PRelu".split(
    " ",
  ),
);

/** Operators whose result has the elements of their first input. */
const PASSES_ON: ReadonlySet<string> = new Set(
  "Identity Cast CastLike Reshape Flatten Transpose Unsqueeze Squeeze Dropout".split(" "),
);

/** A graph whose data inputs are to be chosen. */
export interface InputUses {
  /** Inputs of the graph that the file lists without values. */
  readonly inputs: readonly ValueInfo[];
  /** Nodes of the graph, in topological order. */
  readonly nodes: readonly Node[];
  /** Number of weights that the file contains, in addition to its inputs. */
  readonly carried: number;
}

/**
 * Chooses the inputs of a graph that are data, as the file does not mark them.
 *
 * Inputs with a symbolic extent or with an integer type are data. The other inputs, floats of fixed extents,
 * are all data if the file contains at least as many weights and none of these inputs is used as a weight: a
 * kernel, a matrix on the right or the scale of a norm. Else they are weights. But if that leaves no data,
 * inputs that are used as data and not as weights are data, such as the operand of a convolution, and at
 * least the first input.
 */
export function chooseDataInputs({ inputs, nodes, carried }: InputUses): string[] {
  const evident = inputs.filter(isData).map(({ name }) => name);
  const open = inputs.map(({ name }) => name).filter((name) => !evident.includes(name));
  const uses = new Map(open.map((name) => [name, useOf(name, nodes)]));
  // A file lists its weights among its inputs or not: a few contained weights may be tables beside weights
  // that are fed.
  if (carried >= open.length && ![...uses.values()].includes("weight"))
    return [...inputs.map(({ name }) => name)];
  if (evident.length > 0) return evident;
  const used = open.filter((name) => uses.get(name) === "data");
  return used.length > 0 ? used : open.slice(0, 1);
}

function isData({ dtype, shape }: ValueInfo): boolean {
  const isWhole = dtype !== undefined && !DTYPES[dtype].float;
  return isWhole || shape?.some((extent) => typeof extent === "string") === true;
}

/** Determines how the operators that compute with an input use it. */
function useOf(input: string, nodes: readonly Node[]): Use {
  const names = new Set([input]);
  const uses = new Set<Use>();
  for (const { op, inputs, outputs } of nodes) {
    const index = inputs.findIndex((name) => names.has(name));
    if (index === 0 && PASSES_ON.has(op)) for (const name of outputs.slice(0, 1)) names.add(name);
    else if (index >= 0) uses.add(useBy(op, index));
  }
  if (uses.has("weight")) return "weight";
  return uses.has("data") ? "data" : "either";
}

/**
 * Indices of the inputs of recurrent operators that are trained: kernels of input and state, biases,
 * peepholes.
 */
const RECURRENT_WEIGHTS: readonly number[] = [1, 2, 3, 7];

function useBy(op: string, index: number): Use {
  if (op === "LSTM" || op === "GRU" || op === "RNN")
    return RECURRENT_WEIGHTS.includes(index) ? "weight" : "data";
  if (LAYERS.has(op)) return index === 0 ? "data" : "weight";
  return op === "Gather" && index === 0 ? "weight" : "either";
}
