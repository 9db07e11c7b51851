import { UnsupportedError } from "@isthmus/core";
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
  relu,
  reshape,
  sigmoid,
  slice,
  softplus,
  split,
  tanh,
  type Value,
  where,
} from "@isthmus/graph/builder";
import { intAttribute, shareNodes, stringAttribute } from "@isthmus/graph/ir";
import {
  gatedCell,
  memoryCell,
  type RecurrentCell,
  type RecurrentState,
  type RecurrentWeights,
  simpleCell,
} from "./recurrent-cells.ts";

/** Tells whether a node is a recurrent layer: `RNN`, `GRU` or `LSTM`. */
export function isRecurrent({ op, domain }: Node): boolean {
  return domain === "" && op in KINDS;
}

/**
 * Returns the graph with recurrent layers written out step by step in operators that have gradients: what is needed to train
 * through time. Values keep their names.
 *
 * The products of the input with its weights are one product for all steps. A step is about 4 nodes of an `RNN`, 14 of a `GRU` and 12
 * of an `LSTM` in each direction, and three times as many with its gradient: 1,052 for an `LSTM` of 28 steps. Engines take long to
 * load that many nodes where sequences have thousands of steps: cut those.
 *
 * @param graph - typed; one without such a layer is returned as it is
 * @param isWritten - which of its recurrent layers to write out. @defaultValue all
 * @throws MismatchError if the graph is not typed
 * @throws UnsupportedError if a layer has its batch first (`layout`), couples its gates (`input_forget`), or applies functions with
 *   parameters
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

interface Kind {
  readonly gates: number;
  readonly cell: RecurrentCell;
  /** Names of the functions it applies if none are named. */
  readonly functions: readonly string[];
}

const KINDS: Readonly<Record<string, Kind>> = {
  RNN: { gates: 1, cell: simpleCell, functions: ["Tanh"] },
  GRU: { gates: 3, cell: gatedCell, functions: ["Sigmoid", "Tanh"] },
  LSTM: { gates: 4, cell: memoryCell, functions: ["Sigmoid", "Tanh", "Tanh"] },
};

const FUNCTIONS: Readonly<Record<string, (x: Value) => Value>> = {
  Sigmoid: sigmoid,
  Tanh: tanh,
  Relu: relu,
  Softplus: softplus,
};

/** A node that is written out. */
class RecurrentLayer {
  readonly #builder: GraphBuilder;
  readonly #node: Node;
  readonly #kind: Kind;
  readonly #directions: number;

  constructor(builder: GraphBuilder, node: Node) {
    this.#builder = builder;
    this.#node = node;
    this.#kind = KINDS[node.op] as Kind;
    this.#directions = stringAttribute(node, "direction", "forward") === "bidirectional" ? 2 : 1;
    if (intAttribute(node, "layout", 0) !== 0) this.#refuse("must have time before the batch", "layout 1");
    if (intAttribute(node, "input_forget", 0) !== 0)
      this.#refuse("must have gates of their own", "input_forget 1");
  }

  write(): void {
    const runs = Array.from({ length: this.#directions }, (_, direction) => this.#run(direction));
    const [batch = 0, units = 0] = runs[0]?.last.hidden.shape ?? [];
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
      if (value !== undefined) this.#adopt(value, name, i);
    });
  }

  /** Lets a value stand for an output of the node, under its name. */
  #adopt(value: Value, name: string, output: number): void {
    this.#builder.adopt({
      name: output === 0 ? this.#node.name : `${this.#node.name}:${output}`,
      op: "Identity",
      domain: "",
      inputs: [value.name],
      outputs: [name],
      attributes: new Map(),
    });
  }

  #run(direction: number): { readonly all: readonly Value[]; readonly last: RecurrentState } {
    const isReverse = direction === 1 || stringAttribute(this.#node, "direction", "forward") === "reverse";
    const weights = this.#weights(direction);
    const inputs = this.#inputs(direction);
    const order = isReverse ? [...inputs.keys()].reverse() : [...inputs.keys()];
    const all = new Array<Value>(inputs.length);
    let state = this.#start(direction);
    for (const step of order) {
      const next = this.#kind.cell(inputs[step] as Value, state, weights);
      [state, all[step]] = this.#within(step, state, next);
    }
    return { all, last: state };
  }

  /** State and result of a step; behind the end of a sequence the state stays and results are 0. */
  #within(step: number, before: RecurrentState, next: RecurrentState): [RecurrentState, Value] {
    const lengths = this.#given(4);
    if (lengths === undefined) return [next, next.hidden];
    const isWithin = reshape(greater(lengths, step), [lengths.shape[0] ?? 0, 1]);
    const choose = (one: Value, other: Value): Value => where(isWithin, one, other);
    const hidden = choose(next.hidden, before.hidden);
    const cell = next.cell === undefined ? undefined : choose(next.cell, before.cell as Value);
    return [{ hidden, cell }, mul(next.hidden, cast(isWithin, hidden.dtype))];
  }

  /** Whether the reset gate of a `GRU` acts on products, so that their bias must be known apart. */
  get #resetsProducts(): boolean {
    return intAttribute(this.#node, "linear_before_reset", 0) === 1;
  }

  /** Products of every step's input with its weights, with all biases that may be added here, each `[N, g h]`. */
  #inputs(direction: number): Value[] {
    const x = this.#given(0) as Value;
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
    const { attributes } = this.#node;
    const given = attributes.get("activations");
    const count = this.#kind.functions.length;
    const names =
      given?.type === "strings"
        ? given.value.slice(direction * count, (direction + 1) * count)
        : this.#kind.functions;
    return names.map((name) => {
      const known = Object.keys(FUNCTIONS).find((own) => own.toLowerCase() === name.toLowerCase());
      return known === undefined
        ? this.#refuse(`must apply ${Object.keys(FUNCTIONS).join(", ")}`, `"${name}"`)
        : (FUNCTIONS[known] as (x: Value) => Value);
    });
  }

  /** The state before the first step: zeros where it is not given. */
  #start(direction: number): RecurrentState {
    const x = this.#given(0) as Value;
    const shape = [x.shape[1] ?? 0, (this.#given(2) as Value).shape[2] ?? 0];
    const zeros = (): Value => expand(this.#builder.scalar(0, x.dtype), shape);
    const hidden = this.#part(5, direction) ?? zeros();
    return { hidden, cell: this.#kind.gates === 4 ? (this.#part(6, direction) ?? zeros()) : undefined };
  }

  /** Half of the biases of a direction, `[g h]`: 0 for those of the input, 1 for those of the state. */
  #bias(direction: number, half: 0 | 1): Value | undefined {
    const both = this.#part(3, direction);
    if (both === undefined) return undefined;
    const length = (both.shape[0] ?? 0) / 2;
    return slice(both, [{ axis: 0, begin: half * length, end: (half + 1) * length }]);
  }

  /** One direction of an operand, without the axis of directions. */
  #part(input: number, direction: number): Value | undefined {
    const whole = this.#given(input);
    if (whole === undefined) return undefined;
    const own = slice(whole, [{ axis: 0, begin: direction, end: direction + 1 }]);
    return reshape(own, whole.shape.slice(1));
  }

  #given(input: number): Value | undefined {
    const name = this.#node.inputs[input] ?? "";
    return name === "" ? undefined : this.#builder.value(name);
  }

  #refuse(rule: string, found: string): never {
    throw new UnsupportedError(
      `Cannot write out node "${this.#node.name}" for its gradient as ${this.#node.op} ${rule}: it has ${found}`,
      { feature: this.#node.op },
    );
  }
}
