import type { Graph, Node } from "@isthmus/graph";

/** Operators whose result still counts as the weight they read. */
const PASSING: ReadonlySet<string> = new Set(["Transpose", "Identity", "Cast"]);

/** Operators whose result is a part of their first input, or all of it in another order. */
const MOVING: ReadonlySet<string> = new Set([
  ...PASSING,
  ...["Reshape", "Flatten", "Squeeze", "Unsqueeze", "Slice", "Gather", "Dropout"],
]);

/** Findings about the nodes that read a value, directly or after it is moved or a weight is added to it. */
export interface ValueReaders {
  /** A weight that the value is multiplied by and that other nodes read, too, as a tied head. */
  readonly shared: string | undefined;
  /** Whether the value is added to another one that is no weight. */
  readonly isAdded: boolean;
}

/** Weights that several nodes read, such as an embedding that is also the head. */
export class SharedWeights {
  readonly #graph: Graph;
  /** Name of the weight that each value equals, if it equals one. */
  readonly #weightOf: Map<string, string>;
  readonly #shared: ReadonlySet<string>;

  constructor(graph: Graph) {
    this.#graph = graph;
    this.#weightOf = new Map([...graph.weights.keys()].map((name) => [name, name]));
    const readers = new Map<string, number>();
    for (const { op, inputs, outputs } of graph.nodes) {
      const read = inputs.flatMap((name) => this.#weightOf.get(name) ?? []);
      const [weight] = read;
      if (PASSING.has(op) && weight !== undefined) {
        for (const output of outputs) this.#weightOf.set(output, weight);
        continue;
      }
      for (const name of new Set(read)) readers.set(name, (readers.get(name) ?? 0) + 1);
    }
    this.#shared = new Set([...readers].flatMap(([name, count]) => (count > 1 ? [name] : [])));
  }

  /** Follows a value to the nodes that read it, in the order of the graph. */
  readersOf(value: string): ValueReaders {
    const values = new Set([value]);
    let shared: string | undefined;
    let isAdded = false;
    for (const node of this.#graph.nodes) {
      if (!node.inputs.some((name) => values.has(name))) continue;
      if (MOVING.has(node.op) || this.#addsWeight(node))
        for (const output of node.outputs) values.add(output);
      else if (node.op === "Add") isAdded = true;
      else
        shared ??= node.inputs.map((name) => this.#weightOf.get(name)).find((name) => this.#isShared(name));
    }
    return { shared, isAdded };
  }

  #addsWeight({ op, inputs }: Node): boolean {
    return op === "Add" && inputs.some((name) => this.#weightOf.has(name));
  }

  #isShared(name: string | undefined): boolean {
    return name !== undefined && this.#shared.has(name);
  }
}
