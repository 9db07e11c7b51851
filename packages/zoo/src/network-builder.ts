import {
  createCheckpoint,
  createRandom,
  createTensor,
  type DType,
  entry,
  sizeOf,
  type Tensor,
} from "@isthmus/core";
import type { Graph, WeightRole } from "@isthmus/graph";
import { GraphBuilder, type Value } from "@isthmus/graph/builder";
import type { Initializer } from "./initializer.ts";
import type { Network } from "./network.ts";

/** Operator set of all networks of this package: the first one with an operator for group norms. */
const OPSET = 21;

/**
 * Examples in the batch that graphs are built with; with 1, operators that larger batches need would be
 * omitted as broadcasts.
 */
const BATCH = 2;

/** Builds a graph, and records the initializer of each weight. */
export class NetworkBuilder {
  readonly graph: GraphBuilder;
  readonly #initializers = new Map<string, Initializer>();

  constructor(name: string) {
    this.graph = new GraphBuilder(name, OPSET);
  }

  /** Adds the data input: a batch of examples. */
  input(name: string, exampleShape: readonly number[], dtype: DType = "f32"): Value {
    return this.graph.input(name, { dtype, shape: [BATCH, ...exampleShape] });
  }

  /** Adds a weight of f32. */
  weight(
    name: string,
    shape: readonly number[],
    initializer: Initializer,
    role: WeightRole = "parameter",
  ): Value {
    this.#initializers.set(name, initializer);
    return this.graph.weight(name, { dtype: "f32", shape }, role);
  }

  /** Returns the network that computes `logits`, whose first extent is the batch. */
  build(logits: Value, spec: string): Network {
    const graph = this.graph.build([this.graph.rename(logits, "logits")], { batchName: "N" });
    return Object.freeze({ graph, spec, ...this.#describe(graph, spec) });
  }

  /**
   * Returns the graph that computes several outputs, with the types of all values in it, and the initializers
   * of its weights.
   * @param outputs - values of the outputs, by their names in the graph
   * @param label - description of the network in the metadata of initial weights
   */
  buildTyped(
    outputs: Readonly<Record<string, Value>>,
    label: string,
  ): Pick<Network, "graph" | "parameters" | "initialize"> {
    const named = Object.entries(outputs).map(([name, value]) => this.graph.rename(value, name));
    const graph = this.graph.build(named, { batchName: "N", keepTypes: true });
    return { graph, ...this.#describe(graph, label) };
  }

  #describe(graph: Graph, label: string): Pick<Network, "parameters" | "initialize"> {
    const initializers = new Map(this.#initializers);
    return {
      parameters: countParameters(graph),
      initialize: (seed: number) =>
        createCheckpoint(
          new Map(
            [...initializers].map(([name, fill]) => [name, initialTensor(graph, name, { seed, fill })]),
          ),
          { network: label, seed: String(seed) },
          `${label} from seed ${seed}`,
        ),
    };
  }
}

function initialTensor(
  graph: Graph,
  name: string,
  { seed, fill }: { readonly seed: number; readonly fill: Initializer },
): Tensor {
  const { shape } = entry(graph.weights, name, "weight");
  const data = new Float32Array(sizeOf(shape));
  fill(createRandom(seed, name), data);
  return createTensor("f32", shape, data);
}

function countParameters({ weights }: Graph): number {
  let count = 0;
  for (const { role, shape } of weights.values()) if (role === "parameter") count += sizeOf(shape);
  return count;
}
