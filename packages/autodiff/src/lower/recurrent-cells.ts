import { at } from "@isthmus/core";
import {
  add,
  clip,
  gemm,
  mul,
  relu,
  sigmoid,
  softplus,
  split,
  sub,
  tanh,
  type Value,
} from "@isthmus/graph/builder";

/** State of a recurrent layer between two steps, each value `[N, h]`. */
export interface RecurrentState {
  /** Output of the layer at the last step. */
  readonly hidden: Value;
  /** The cell of an `LSTM`; undefined for other layers. */
  readonly cell: Value | undefined;
}

/** Weights and functions of one direction of a recurrent layer with `g` gates of `h` units. */
export interface RecurrentWeights {
  /** Recurrent weights, by which the hidden state is multiplied: `[g h, h]` for `g` gates of `h` units. */
  readonly recurrent: Value;
  /**
   * Whether the reset gate of a `GRU` acts on the product with the state, as in
   * PyTorch, instead of on the state.
   */
  readonly resetsProducts: boolean;
  /** Bias of the product with the state, `[g h]`, if the product is reset; undefined for none. */
  readonly productBias: Value | undefined;
  /** Factors of the cell in the gates of an `LSTM`: input, output, forget, `[3 h]`. */
  readonly peepholes: Value | undefined;
  /** Functions of the gates, in the order of the operator. */
  readonly functions: readonly ((x: Value) => Value)[];
  /**
   * Limit to which arguments of the gates' functions are clipped, from `-bound` to `bound`; undefined for
   * none.
   */
  readonly bound: number | undefined;
}

/**
 * Function that computes one step of a recurrent layer.
 * @param input - product of the step's input with its weights, plus all biases except `productBias`,
 *   `[N, g h]`
 */
export type RecurrentCell = (
  input: Value,
  state: RecurrentState,
  weights: RecurrentWeights,
) => RecurrentState;

/** Computes `x W' + bias`. */
function product(x: Value, weight: Value, bias?: Value): Value {
  return gemm(x, weight, { transB: true, ...(bias === undefined ? {} : { bias }) });
}

/** Applies the function of a gate to its argument, clipped to the bounds. */
function gate({ functions, bound }: RecurrentWeights, place: number, x: Value): Value {
  const argument = bound === undefined ? x : clip(x, -bound, bound);
  return at(functions, place, "function of a gate")(argument);
}

/** Computes `h' = f(x + h R')`, the step of an `RNN`. */
const simpleCell: RecurrentCell = (input, { hidden }, weights) => ({
  hidden: gate(weights, 0, product(hidden, weights.recurrent, input)),
  cell: undefined,
});

/**
 * Computes `h' = (1 - z) n + z h`, the step of a `GRU`, with the update gate `z`, the reset gate
 * `r`, and the candidate `n` of `r` times the state or, if the layer resets products, of `r`
 * times the product with the state.
 *
 * @see Cho et al., Learning phrase representations, 2014, equations 5 to 8
 */
const gatedCell: RecurrentCell = (input, { hidden }, weights) => {
  const units = at(hidden.shape, 1, "axis");
  const parts = [2 * units, units] as const;
  const [inputGates, inputCandidate] = split(input, 1, parts) as [Value, Value];
  const { recurrent, productBias } = weights;
  const finish = (gates: Value, candidateOf: (reset: Value) => Value): RecurrentState => {
    const [update, reset] = split(gate(weights, 0, gates), 1, [units, units]) as [Value, Value];
    const candidate = gate(weights, 1, candidateOf(reset));
    return { hidden: add(mul(sub(1, update), candidate), mul(update, hidden)), cell: undefined };
  };
  if (weights.resetsProducts) {
    const [ofGates, ofCandidate] = split(product(hidden, recurrent, productBias), 1, parts) as [Value, Value];
    return finish(add(inputGates, ofGates), (reset) => add(inputCandidate, mul(reset, ofCandidate)));
  }
  const [toGates, toCandidate] = split(recurrent, 0, parts) as [Value, Value];
  return finish(product(hidden, toGates, inputGates), (reset) =>
    product(mul(reset, hidden), toCandidate, inputCandidate),
  );
};

/**
 * Computes `c' = f c + i n` and `h' = o k(c')`, the step of an `LSTM`, with the gates `i`, `o`,
 * `f` and the candidate `n`. Through peepholes the gates `i` and `f` also depend on the cell `c`,
 * and `o` on the new cell `c'`.
 *
 * @see Hochreiter and Schmidhuber, Long short-term memory, 1997; Gers et al., Learning to forget, 2000, and
 *   Learning precise timing, 2002, on peepholes
 */
const memoryCell: RecurrentCell = (input, state, weights) => {
  const { hidden } = state;
  const units = at(hidden.shape, 1, "axis");
  const cell = state.cell as Value;
  const sums = product(hidden, weights.recurrent, input);
  const { takeIn, keep, candidate, giveOut } =
    weights.peepholes === undefined
      ? sideBySide(sums, units, weights)
      : throughPeepholes(sums, { cell, units, peepholes: weights.peepholes }, weights);
  const next = add(mul(keep, cell), mul(takeIn, candidate));
  const read = at(weights.functions, 2, "function of a gate")(next);
  return { hidden: mul(giveOut(next), read), cell: next };
};

/** Gates of an `LSTM`; the output gate is a function of the new cell. */
interface MemoryGates {
  readonly takeIn: Value;
  readonly keep: Value;
  readonly candidate: Value;
  readonly giveOut: (cell: Value) => Value;
}

/**
 * Computes the gates without peepholes: the three gates lie side by side, so that one
 * function call computes them.
 */
function sideBySide(sums: Value, units: number, weights: RecurrentWeights): MemoryGates {
  const [three, candidate] = split(sums, 1, [3 * units, units]) as [Value, Value];
  const [takeIn, giveOut, keep] = split(gate(weights, 0, three), 1, [units, units, units]) as [
    Value,
    Value,
    Value,
  ];
  return { takeIn, keep, candidate: gate(weights, 1, candidate), giveOut: () => giveOut };
}

/** The cell that gates depend on, and the factors of its units. */
interface Peepholes {
  readonly cell: Value;
  readonly units: number;
  readonly peepholes: Value;
}

/** Computes the gates with peepholes. */
function throughPeepholes(
  sums: Value,
  { cell, units, peepholes }: Peepholes,
  weights: RecurrentWeights,
): MemoryGates {
  const [sumIn, sumOut, sumKeep, sumCandidate] = split(sums, 1, Array<number>(4).fill(units)) as [
    Value,
    Value,
    Value,
    Value,
  ];
  const [seenIn, seenOut, seenKeep] = split(peepholes, 0, [units, units, units]) as [Value, Value, Value];
  const see = (sum: Value, seen: Value, from: Value): Value => gate(weights, 0, add(sum, mul(seen, from)));
  return {
    takeIn: see(sumIn, seenIn, cell),
    keep: see(sumKeep, seenKeep, cell),
    candidate: gate(weights, 1, sumCandidate),
    giveOut: (next) => see(sumOut, seenOut, next),
  };
}

/** A kind of recurrent layer. */
export interface RecurrentKind {
  /** Number of gates `g`, for which weights are stacked: `[g h, ...]`. */
  readonly gates: number;
  /** Function that computes the next state from the sums of the gates. */
  readonly cell: RecurrentCell;
  /** Names of the functions of its gates if the node names none. */
  readonly functions: readonly string[];
}

/** Kinds of recurrent layers, by operator. */
export const RECURRENT_KINDS: ReadonlyMap<string, RecurrentKind> = new Map([
  ["RNN", { gates: 1, cell: simpleCell, functions: ["Tanh"] }],
  ["GRU", { gates: 3, cell: gatedCell, functions: ["Sigmoid", "Tanh"] }],
  ["LSTM", { gates: 4, cell: memoryCell, functions: ["Sigmoid", "Tanh", "Tanh"] }],
]);

/** Functions that gates may apply, by name. */
export const GATE_FUNCTIONS: ReadonlyMap<string, (x: Value) => Value> = new Map([
  ["Sigmoid", sigmoid],
  ["Tanh", tanh],
  ["Relu", relu],
  ["Softplus", softplus],
]);
