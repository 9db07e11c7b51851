import { intAttribute } from "@isthmus/graph/ir";
import type { Labelled } from "../labels/field.ts";
import { stack } from "../primitives/concatenate.ts";
import { contract } from "../primitives/contract.ts";
import { insertAxes, removeAxes, reshape, take } from "../primitives/move.ts";
import { alike, tie } from "../primitives/tie.ts";
import { collapseOrdered, fixAxes } from "./convolution.ts";
import { inputOf, type Rule, type RuleContext } from "./rule.ts";

/** Gates of each recurrent operator: parts that its weights consist of. */
const GATES: Readonly<Record<string, number>> = { RNN: 1, GRU: 3, LSTM: 4 };

/** Steps after which the state's labels must have become what they stay; two are enough if nothing unusual meets. */
const MAX_STEPS = 8;

/**
 * `RNN`, `GRU` and `LSTM`: one step is followed again and again until the labels of the state are those of the step before.
 *
 * Gates are taken apart and meet in the state, so that a hidden unit is a row of every gate of `W` and `R`, an element of every
 * gate of both biases, a column of `R` and an element of the states. Each direction has units of its own.
 *
 * Shapes, of `d` directions, `g` gates and `h` units: x `[T, N, in]`, W `[d, g h, in]`, R `[d, g h, h]`, B `[d, 2 g h]`, lengths
 * `[N]`, states `[d, N, h]`, P `[d, 3 h]`; results `[T, d, N, h]` and states. With the batch first (`layout`) it is not followed.
 */
export const recurrence: Rule = (context) => {
  const { store, node, outputs } = context;
  if (intAttribute(node, "layout", 0) !== 0) return undefined;
  const directions = inputOf(context, 2).shape[0] ?? 1;
  const results: State[] = [];
  for (let direction = 0; direction < directions; direction++) {
    const state = settle(new Cell(context, direction));
    if (state === undefined) return undefined;
    results.push(state);
  }
  const together = (part: keyof State): Labelled => {
    const blocks = results.map((state) => insertAxes(state[part], [0]));
    return directions === 1 ? (blocks[0] as Labelled) : stack(store, blocks, 0);
  };
  const [hidden, cell] = [together("hidden"), together("cell")];
  const all = insertAxes(hidden, [0]);
  return [
    fixAxes({ shape: outputs[0] ?? all.shape, fields: all.fields }, outputs[0] === undefined ? [] : [0]),
    hidden,
    cell,
  ];
};

/** What a step hands on to the next, both `[N, h]`. */
interface State {
  readonly hidden: Labelled;
  /** Of an `LSTM`; the same as `hidden` of others. */
  readonly cell: Labelled;
}

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
  /** Products of the input with its weights, and biases: the same at every step, `[N, g, h]` or broadcast to it. */
  readonly #given: readonly Labelled[];
  /** `[g, h, h]`. */
  readonly #recurrent: Labelled;

  constructor(context: RuleContext, direction: number) {
    const { store, node } = context;
    this.#context = context;
    this.#direction = direction;
    this.#gates = GATES[node.op] ?? 1;
    const x = inputOf(context, 0);
    const recurrent = this.#part(2);
    this.#units = recurrent.shape[1] ?? 1;
    this.#batch = x.shape[1] ?? 1;
    const gates = [this.#gates, this.#units];
    this.#recurrent = reshape(store, recurrent, [...gates, this.#units]);
    const weights = reshape(store, this.#part(1), [...gates, x.shape[2] ?? 1]);
    const steps = collapseOrdered(store, x, [0], "a recurrence runs along it there");
    const product = this.#product(removeAxes(steps, [0]), { weights, input: 0 });
    this.#given = [product, ...this.#halves(3).map((bias) => reshape(store, bias, gates))];
  }

  /** One direction of a weight or state; a uniform one where it is not given. */
  #part(input: number): Labelled {
    const { store } = this.#context;
    const whole = inputOf(this.#context, input);
    const own = (whole.shape[0] ?? 1) > 1 ? take(store, whole, 0, Int32Array.of(this.#direction)) : whole;
    return removeAxes(own, [0]);
  }

  /** The biases of input and state, each `[g h]`; none where they are not given. */
  #halves(input: number): Labelled[] {
    const { store, inputs } = this.#context;
    if (inputs[input] === undefined) return [];
    const both = this.#part(input);
    const split = reshape(store, both, [2, (both.shape[0] ?? 2) / 2]);
    return [0, 1].map((half) => removeAxes(take(store, split, 0, Int32Array.of(half)), [0]));
  }

  /** `[N, in] x [g, h, in]`, summed over the last axis. */
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
    const sums = tie(store, [...this.#given, recurrent]);
    const gates = Array.from({ length: this.#gates }, (_, gate) =>
      removeAxes(take(store, sums, 1, Int32Array.of(gate)), [1]),
    );
    const lengths = inputs[4] === undefined ? [] : [insertAxes(inputs[4], [1])];
    const next = tie(store, [...gates, hidden, cell, ...this.#peepholes(), ...lengths]);
    return { hidden: next, cell: next };
  }

  /** Factors of the cell in the gates of an `LSTM`, each `[h]`. */
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
