import { add, clip, gemm, mul, split, sub, type Value } from "@isthmus/graph/builder";

/** What a step of a recurrent layer hands on to the next, each `[N, h]`. */
export interface RecurrentState {
  readonly hidden: Value;
  /** Of an `LSTM`. */
  readonly cell: Value | undefined;
}

/** Weights of one direction of a recurrent layer with `g` gates of `h` units. */
export interface RecurrentWeights {
  /** Of the state, `[g h, h]`. */
  readonly recurrent: Value;
  /** Of a `GRU`: whether the reset gate acts on the product with the state, as in PyTorch, instead of on the state. */
  readonly resetsProducts: boolean;
  /** Added to the product with the state, `[g h]`, if it is reset; undefined for none. */
  readonly productBias: Value | undefined;
  /** Factors of the cell in the gates of an `LSTM`: input, output, forget, `[3 h]`. */
  readonly peepholes: Value | undefined;
  /** Functions of the gates, in the order of the operator. */
  readonly functions: readonly ((x: Value) => Value)[];
  /** Bound of the arguments of these functions; undefined for none. */
  readonly bound: number | undefined;
}

/**
 * Computes one step of a recurrent layer.
 * @param input - product of the step's input with its weights, with all biases but one of products that are reset, `[N, g h]`
 */
export type RecurrentCell = (
  input: Value,
  state: RecurrentState,
  weights: RecurrentWeights,
) => RecurrentState;

/** `x W' + bias`. */
function product(x: Value, weight: Value, bias?: Value): Value {
  return gemm(x, weight, { transB: true, ...(bias === undefined ? {} : { bias }) });
}

/** Applies the function of a gate to its argument within bounds. */
function gate({ functions, bound }: RecurrentWeights, place: number, x: Value): Value {
  const argument = bound === undefined ? x : clip(x, -bound, bound);
  return (functions[place] as (x: Value) => Value)(argument);
}

/** `h' = f(x + h R')`. */
export const simpleCell: RecurrentCell = (input, { hidden }, weights) => ({
  hidden: gate(weights, 0, product(hidden, weights.recurrent, input)),
  cell: undefined,
});

/**
 * `h' = (1 - z) n + z h`, with the update gate `z` and the reset gate `r`, and the candidate `n` of `r` times the state or, if it
 * resets products, `r` times the product with the state.
 *
 * @see Cho et al., Learning phrase representations, 2014, equations 5 to 8
 */
export const gatedCell: RecurrentCell = (input, { hidden }, weights) => {
  const units = hidden.shape[1] ?? 0;
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
 * `c' = f c + i n`, `h' = o k(c')`, with the gates `i`, `o`, `f` and the candidate `n`; through peepholes gates also see the cell, the
 * output gate the new one.
 *
 * @see Hochreiter and Schmidhuber, Long short-term memory, 1997; Gers et al., Learning to forget, 2000, and Learning precise
 *   timing, 2002, on peepholes
 */
export const memoryCell: RecurrentCell = (input, state, weights) => {
  const { hidden } = state;
  const units = hidden.shape[1] ?? 0;
  const cell = state.cell as Value;
  const sums = product(hidden, weights.recurrent, input);
  const { takeIn, keep, candidate, giveOut } =
    weights.peepholes === undefined
      ? sideBySide(sums, units, weights)
      : throughPeepholes(sums, { cell, units, peepholes: weights.peepholes }, weights);
  const next = add(mul(keep, cell), mul(takeIn, candidate));
  const read = (weights.functions[2] as (x: Value) => Value)(next);
  return { hidden: mul(giveOut(next), read), cell: next };
};

/** The gates of an `LSTM`; that of the output by the new cell. */
interface MemoryGates {
  readonly takeIn: Value;
  readonly keep: Value;
  readonly candidate: Value;
  readonly giveOut: (cell: Value) => Value;
}

/** The three gates lie side by side: one function call makes them. */
function sideBySide(sums: Value, units: number, weights: RecurrentWeights): MemoryGates {
  const [three, candidate] = split(sums, 1, [3 * units, units]) as [Value, Value];
  const [takeIn, giveOut, keep] = split(gate(weights, 0, three), 1, [units, units, units]) as [
    Value,
    Value,
    Value,
  ];
  return { takeIn, keep, candidate: gate(weights, 1, candidate), giveOut: () => giveOut };
}

interface Peepholes {
  readonly cell: Value;
  readonly units: number;
  readonly peepholes: Value;
}

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
