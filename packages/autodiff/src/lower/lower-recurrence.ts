import { at, entry, UnsupportedError } from "@isthmus/core";
import type { Graph, Node } from "@isthmus/graph";
import {
  add,
  cast,
  concat,
  expand,
  GraphBuilder,
  gemm,
  greater,
  mul,
  reshape,
  slice,
  split,
  type Value,
  where,
} from "@isthmus/graph/builder";
import { intAttribute, shareNodes, stringAttribute } from "@isthmus/graph/ir";
import { adoptAs } from "./adopt-as.ts";
import {
  GATE_FUNCTIONS,
  RECURRENT_KINDS,
  type RecurrentKind,
  type RecurrentState,
  type RecurrentWeights,
} from "./recurrent-cells.ts";

/** Checks whether a node is a recurrent layer: `RNN`, `GRU` or `LSTM`. */
export function isRecurrent({ op, domain }: Node): boolean {
  return domain === "" && RECURRENT_KINDS.has(op);
}

/**
 * Returns the graph with recurrent layers written out step by step in operators that have gradients, as
 * training through time needs. Values keep their names.
 *
 * The products of the input with its weights are one product for all steps. A step takes about 4 nodes for an
 * `RNN`, 14 for a `GRU` and 12 for an `LSTM` in each direction, and three times as many with its gradient:
 * 1,052 for an `LSTM` of 28 steps. Engines take long to load the nodes of sequences of thousands of steps:
 * cut these into shorter ones.
 *
 * @param graph - typed; a graph without such a layer is returned itself
 * @param isWritten - selects the recurrent layers that are written out. @defaultValue all
 * @throws MismatchError if the graph is not typed
 * @throws UnsupportedError if a layer has its batch first (`layout`), couples its gates (`input_forget`), or
 *   applies functions with parameters
 */
export function lowerRecurrence(graph: Graph, isWritten: (node: Node) => boolean = () => true): Graph {
  const written = new Set(graph.nodes.filter((node) => isRecurrent(node) && isWritten(node)));
  if (written.size === 0) return graph;
  const builder = GraphBuilder.rewriting(graph);
  for (const node of graph.nodes) {
    if (written.has(node)) new RecurrentLayer(builder, node).write();
    else builder.adopt(node);
  }
  const adopted = new Set(graph.nodes);
  const outputs = graph.outputs.map(({ name }) => builder.value(name));
  return shareNodes(builder.build(outputs), (node) => adopted.has(node));
}

/** A recurrent layer that is written out. */
class RecurrentLayer {
  readonly #builder: GraphBuilder;
  readonly #node: Node;
  readonly #kind: RecurrentKind;
  readonly #directions: number;

  constructor(builder: GraphBuilder, node: Node) {
    this.#builder = builder;
    this.#node = node;
    this.#kind = entry(RECURRENT_KINDS, node.op, "recurrent layer");
    this.#directions = stringAttribute(node, "direction", "forward") === "bidirectional" ? 2 : 1;
    if (intAttribute(node, "layout", 0) !== 0) this.#refuse("must have time before the batch", "layout 1");
    if (intAttribute(node, "input_forget", 0) !== 0)
      this.#refuse("must have gates of their own", "input_forget 1");
  }

  /** Adds the steps of all directions and gives their results the names of the node's outputs. */
  write(): void {
    const runs = Array.from({ length: this.#directions }, (_, direction) => this.#run(direction));
    const [batch = 0, units = 0] = at(runs, 0, "direction").last.hidden.shape;
    const steps = runs.map(({ all }) =>
      concat(
        all.map((step) => reshape(step, [1, 1, batch, units])),
        0,
      ),
    );
    const last = (states: readonly Value[]): Value =>
      concat(
        states.map((state) => reshape(state, [1, batch, units])),
        0,
      );
    const results = [
      () => concat(steps, 1),
      () => last(runs.map((run) => run.last.hidden)),
      () => last(runs.flatMap((run) => run.last.cell ?? [])),
    ];
    this.#node.outputs.forEach((name, i) => {
      const value = name === "" ? undefined : results[i]?.();
      if (value !== undefined) adoptAs(this.#builder, value, { node: this.#node, name, output: i });
    });
  }

  /**
   * Adds the steps of one direction and returns their results, in the order of the input, and the last state.
   */
  #run(direction: number): { readonly all: readonly Value[]; readonly last: RecurrentState } {
    const isReverse = direction === 1 || stringAttribute(this.#node, "direction", "forward") === "reverse";
    const weights = this.#weights(direction);
    const inputs = this.#inputs(direction);
    const order = isReverse ? [...inputs.keys()].reverse() : [...inputs.keys()];
    const all = new Array<Value>(inputs.length);
    let state = this.#start(direction);
    for (const step of order) {
      const next = this.#kind.cell(at(inputs, step, "step"), state, weights);
      [state, all[step]] = this.#within(step, state, next);
    }
    return { all, last: state };
  }

  /** Returns state and result of a step; behind the end of a sequence the state stays and the result is 0. */
  #within(step: number, before: RecurrentState, next: RecurrentState): [RecurrentState, Value] {
    const lengths = this.#operand(4);
    if (lengths === undefined) return [next, next.hidden];
    const isWithin = reshape(greater(lengths, step), [...lengths.shape, 1]);
    const choose = (one: Value, other: Value): Value => where(isWithin, one, other);
    const hidden = choose(next.hidden, before.hidden);
    const cell = next.cell === undefined ? undefined : choose(next.cell, before.cell as Value);
    return [{ hidden, cell }, mul(next.hidden, cast(isWithin, hidden.dtype))];
  }

  /**
   * Whether the reset gate of a `GRU` acts on products with the state, so that their
   * bias must be added before it.
   */
  get #resetsProducts(): boolean {
    return intAttribute(this.#node, "linear_before_reset", 0) === 1;
  }

  /**
   * Computes the product of every step's input with its weights, plus all biases that may be
   * added here, each `[N, g h]`.
   */
  #inputs(direction: number): Value[] {
    const x = this.#operand(0) as Value;
    const [steps = 0, batch = 0, width = 0] = x.shape;
    const [first, second] = [this.#bias(direction, 0), this.#bias(direction, 1)];
    const bias =
      first === undefined || second === undefined || this.#resetsProducts ? first : add(first, second);
    const flat = gemm(reshape(x, [steps * batch, width]), this.#part(1, direction) as Value, {
      transB: true,
      ...(bias === undefined ? {} : { bias }),
    });
    return steps === 1 ? [flat] : split(flat, 0, Array<number>(steps).fill(batch));
  }

  #weights(direction: number): RecurrentWeights {
    const clipped = this.#node.attributes.get("clip");
    return {
      recurrent: this.#part(2, direction) as Value,
      productBias: this.#resetsProducts ? this.#bias(direction, 1) : undefined,
      peepholes: this.#part(7, direction),
      functions: this.#functions(direction),
      bound: clipped?.type === "float" ? clipped.value : undefined,
      resetsProducts: this.#resetsProducts,
    };
  }

  #functions(direction: number): ((x: Value) => Value)[] {
    const activations = this.#node.attributes.get("activations");
    const count = this.#kind.functions.length;
    const names =
      activations?.type === "strings"
        ? activations.value.slice(direction * count, (direction + 1) * count)
        : this.#kind.functions;
    return names.map((name) => {
      const match = [...GATE_FUNCTIONS].find(([known]) => known.toLowerCase() === name.toLowerCase());
      return match?.[1] ?? this.#refuse(`must apply ${[...GATE_FUNCTIONS.keys()].join(", ")}`, `"${name}"`);
    });
  }

  /** Returns the state before the first step: zeros if the node has no operand for it. */
  #start(direction: number): RecurrentState {
    const x = this.#operand(0) as Value;
    const recurrent = this.#operand(2) as Value;
    const shape = [at(x.shape, 1, "axis"), at(recurrent.shape, 2, "axis")];
    const zeros = (): Value => expand(this.#builder.scalar(0, x.dtype), shape);
    const hidden = this.#part(5, direction) ?? zeros();
    return { hidden, cell: this.#kind.gates === 4 ? (this.#part(6, direction) ?? zeros()) : undefined };
  }

  /**
   * Returns half of the biases of a direction, `[g h]`: 0 for the biases of the input, 1
   * for the biases of the state.
   */
  #bias(direction: number, half: 0 | 1): Value | undefined {
    const both = this.#part(3, direction);
    if (both === undefined) return undefined;
    const length = at(both.shape, 0, "axis") / 2;
    return slice(both, [{ axis: 0, begin: half * length, end: (half + 1) * length }]);
  }

  /**
   * Returns one direction of an operand, without the axis of directions; undefined
   * if the node lacks the operand.
   */
  #part(input: number, direction: number): Value | undefined {
    const whole = this.#operand(input);
    if (whole === undefined) return undefined;
    const part = slice(whole, [{ axis: 0, begin: direction, end: direction + 1 }]);
    return reshape(part, whole.shape.slice(1));
  }

  #operand(input: number): Value | undefined {
    const name = this.#node.inputs[input];
    return name === undefined || name === "" ? undefined : this.#builder.value(name);
  }

  #refuse(rule: string, variant: string): never {
    throw new UnsupportedError(
      `Cannot write out node "${this.#node.name}" for its gradient as ${this.#node.op} ${rule}: it has ${variant}`,
      { feature: this.#node.op },
    );
  }
}
