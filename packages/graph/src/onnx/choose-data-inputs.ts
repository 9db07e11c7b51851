import { DTYPES } from "@isthmus/core";
import type { Node, ValueInfo } from "../ir/graph.ts";

/** What an input of a graph is used as, as far as operators tell. */
type Use = "data" | "weight" | "either";

/** Operators whose first input is data and whose others are weights. */
const LAYERS: ReadonlySet<string> = new Set(
  "Conv ConvTranspose Gemm MatMul BatchNormalization InstanceNormalization GroupNormalization LayerNormalization RMSNormalization PRelu".split(
    " ",
  ),
);

/** Operators that hand their first input on. */
const PASSES_ON: ReadonlySet<string> = new Set(
  "Identity Cast CastLike Reshape Flatten Transpose Unsqueeze Squeeze Dropout".split(" "),
);

/** What is known of a graph whose data inputs are looked for. */
export interface InputUses {
  readonly inputs: readonly ValueInfo[];
  readonly nodes: readonly Node[];
  /** Number of weights that the file holds itself, beside its inputs. */
  readonly carried: number;
}

/**
 * Chooses which inputs of a graph are data, where its file does not say.
 *
 * Those with a symbolic extent or of an integer type are. Of floats of fixed extents all are, if the file holds as many weights itself and none
 * of them is used as one, as a kernel, a matrix on the right or the scale of a norm. Else they are weights; but where nothing says
 * that it is data, those are that are used as data and not as weights, such as what is convolved, and at least the first input.
 */
export function chooseDataInputs({ inputs, nodes, carried }: InputUses): string[] {
  const told = inputs.filter(isData).map(({ name }) => name);
  const open = inputs.map(({ name }) => name).filter((name) => !told.includes(name));
  const uses = new Map(open.map((name) => [name, useOf(name, nodes)]));
  // A file has its weights among its inputs or not: a few that it holds may be tables beside weights that are fed.
  if (carried >= open.length && ![...uses.values()].includes("weight"))
    return [...inputs.map(({ name }) => name)];
  if (told.length > 0) return told;
  const used = open.filter((name) => uses.get(name) === "data");
  return used.length > 0 ? used : open.slice(0, 1);
}

function isData({ dtype, shape }: ValueInfo): boolean {
  const isWhole = dtype !== undefined && !DTYPES[dtype].float;
  return isWhole || shape?.some((extent) => typeof extent === "string") === true;
}

/** What the operators that compute with an input take it for. */
function useOf(input: string, nodes: readonly Node[]): Use {
  const names = new Set([input]);
  const uses = new Set<Use>();
  for (const { op, inputs, outputs } of nodes) {
    const at = inputs.findIndex((name) => names.has(name));
    if (at === 0 && PASSES_ON.has(op)) names.add(outputs[0] ?? "");
    else if (at >= 0) uses.add(useBy(op, at));
  }
  if (uses.has("weight")) return "weight";
  return uses.has("data") ? "data" : "either";
}

/** Inputs of recurrent operators that are trained: kernels of input and state, biases, peepholes. */
const RECURRENT_WEIGHTS: readonly number[] = [1, 2, 3, 7];

function useBy(op: string, at: number): Use {
  if (op === "LSTM" || op === "GRU" || op === "RNN")
    return RECURRENT_WEIGHTS.includes(at) ? "weight" : "data";
  if (LAYERS.has(op)) return at === 0 ? "data" : "weight";
  return op === "Gather" && at === 0 ? "weight" : "either";
}
