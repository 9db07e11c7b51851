import { at, entry } from "@isthmus/core";
import { intAttribute } from "@isthmus/graph/ir";
import { extentOf, type Labelled } from "../labels/field.ts";
import { stack } from "../primitives/concatenate.ts";
import { contract } from "../primitives/contract.ts";
import { insertAxes, removeAxes, reshape, take } from "../primitives/move.ts";
import { alike, tie } from "../primitives/tie.ts";
import { collapseOrdered, fixAxes } from "./convolution.ts";
import { inputOf, type Rule, type RuleContext } from "./rule.ts";

/** Number of gates of each recurrent operator, the parts that its weights consist of. */
const GATES: ReadonlyMap<string, number> = new Map([
  ["RNN", 1],
  ["GRU", 3],
  ["LSTM", 4],
]);

/** Most steps until the labels of the state must no longer change; for usual networks two are enough. */
const MAX_STEPS = 8;

/**
 * Follows one step of `RNN`, `GRU` and `LSTM` again and again until it does not change the labels of the
 * state.
 *
 * Gates are taken apart and meet in the state, so that a hidden unit is a row of every gate of `W` and `R`,
 * an element of every gate of both biases, a column of `R` and an element of the states. Each direction has
 * separate units.
 *
 * Shapes, of `d` directions, `g` gates and `h` units: x `[T, N, in]`, W `[d, g h, in]`, R `[d, g h, h]`, B
 * `[d, 2 g h]`, lengths `[N]`, states `[d, N, h]`, P `[d, 3 h]`; results `[T, d, N, h]` and states. With the
 * batch first (`layout`) the operator counts as unknown.
 */
export const recurrence: Rule = (context) => {
  const { store, node, outputs } = context;
  if (intAttribute(node, "layout", 0) !== 0) return undefined;
  const directions = extentOf(inputOf(context, 2), 0);
  const results: State[] = [];
  for (let direction = 0; direction < directions; direction++) {
    const state = settle(new Cell(context, direction));
    if (state === undefined) return undefined;
    results.push(state);
  }
  const together = (part: keyof State): Labelled => {
    const blocks = results.map((state) => insertAxes(state[part], [0]));
    return directions === 1 ? at(blocks, 0, "direction") : stack(store, blocks, 0);
  };
  const [hidden, cell] = [together("hidden"), together("cell")];
  const all = insertAxes(hidden, [0]);
  return [
    fixAxes({ shape: outputs[0] ?? all.shape, fields: all.fields }, outputs[0] === undefined ? [] : [0]),
    hidden,
    cell,
  ];
};

/** The state that a step passes to the next, both parts `[N, h]`. */
interface State {
  readonly hidden: Labelled;
  /** The cell of an `LSTM`; equal to `hidden` for the other operators. */
  readonly cell: Labelled;
}

/** Repeats steps until the labels of the state no longer change; undefined if they never settle. */
function settle(cell: Cell): State | undefined {
  let state = cell.start();
  for (let step = 0; step < MAX_STEPS; step++) {
    const next = cell.step(state);
    if (cell.isSame(state, next)) return next;
    state = next;
  }
  return undefined;
}

/** One direction of a recurrent layer. */
class Cell {
  readonly #context: RuleContext;
  readonly #direction: number;
  readonly #gates: number;
  readonly #units: number;
  readonly #batch: number;
  /**
   * Products of the input with its weights, and biases: equal at every step, `[N, g, h]` or broadcast to it.
   */
  readonly #fromInput: readonly Labelled[];
  /** Weights of the state, `[g, h, h]`. */
  readonly #recurrent: Labelled;

  constructor(context: RuleContext, direction: number) {
    const { store, node } = context;
    this.#context = context;
    this.#direction = direction;
    this.#gates = entry(GATES, node.op, "recurrent operator");
    const x = inputOf(context, 0);
    const recurrent = this.#part(2);
    this.#units = extentOf(recurrent, 1);
    this.#batch = extentOf(x, 1);
    const gates = [this.#gates, this.#units];
    this.#recurrent = reshape(store, recurrent, [...gates, this.#units]);
    const weights = reshape(store, this.#part(1), [...gates, extentOf(x, 2)]);
    const steps = collapseOrdered(store, x, [0], "a recurrence runs along it there");
    const product = this.#product(removeAxes(steps, [0]), { weights, input: 0 });
    this.#fromInput = [product, ...this.#halves(3).map((bias) => reshape(store, bias, gates))];
  }

  /** Returns one direction of a weight or state that the node has. */
  #part(input: number): Labelled {
    const { store } = this.#context;
    const whole = inputOf(this.#context, input);
    const isShared = extentOf(whole, 0) === 1;
    return removeAxes(isShared ? whole : take(store, whole, 0, Int32Array.of(this.#direction)), [0]);
  }

  /** Returns the biases of input and state, each `[g h]`; none if the node has none. */
  #halves(input: number): Labelled[] {
    const { store, inputs } = this.#context;
    if (inputs[input] === undefined) return [];
    const both = this.#part(input);
    const split = reshape(store, both, [2, extentOf(both, 0) / 2]);
    return [0, 1].map((half) => removeAxes(take(store, split, 0, Int32Array.of(half)), [0]));
  }

  /** Multiplies `[N, in] x [g, h, in]` and sums over the last axis. */
  #product(
    x: Labelled,
    { weights, input }: { readonly weights: Labelled; readonly input: number },
  ): Labelled {
    const { store, isActivation } = this.#context;
    const factors = [
      { tensor: insertAxes(x, [1, 2]), activation: isActivation(input) },
      { tensor: insertAxes(weights, [0]), activation: false },
    ];
    return removeAxes(contract(store, factors, [3]), [3]);
  }

  start(): State {
    const { inputs } = this.#context;
    const uniform = { shape: [this.#batch, this.#units], fields: [] };
    const hidden = inputs[5] === undefined ? uniform : this.#part(5);
    return { hidden, cell: inputs[6] === undefined ? uniform : this.#part(6) };
  }

  step({ hidden, cell }: State): State {
    const { store, inputs } = this.#context;
    const recurrent = this.#product(hidden, { weights: this.#recurrent, input: 0 });
    const sums = tie(store, [...this.#fromInput, recurrent]);
    const gates = Array.from({ length: this.#gates }, (_, gate) =>
      removeAxes(take(store, sums, 1, Int32Array.of(gate)), [1]),
    );
    const lengths = inputs[4] === undefined ? [] : [insertAxes(inputs[4], [1])];
    const next = tie(store, [...gates, hidden, cell, ...this.#peepholes(), ...lengths]);
    return { hidden: next, cell: next };
  }

  /** Returns the factors of the cell in the gates of an `LSTM`, each `[h]`; none if the node has none. */
  #peepholes(): Labelled[] {
    const { store, inputs } = this.#context;
    if (inputs[7] === undefined) return [];
    const split = reshape(store, this.#part(7), [3, this.#units]);
    return [0, 1, 2].map((gate) => removeAxes(take(store, split, 0, Int32Array.of(gate)), [0]));
  }

  isSame(one: State, other: State): boolean {
    const { store } = this.#context;
    return (["hidden", "cell"] as const).every((part) => alike(store, one[part].fields, other[part].fields));
  }
}
