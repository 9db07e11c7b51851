import { type DType, EngineError, formatShape, type Tensor } from "@isthmus/core";
import type { Graph } from "@isthmus/graph";
import { fillOutput } from "../fill-output.ts";
import type { LoadedTfjs } from "./load-tfjs.ts";
import { type PlannedNode, planNodes } from "./run-nodes.ts";
import { fromTfTensor, type TfValue, tfTypeOf, toTfTensor } from "./tensors.ts";
import type { Tfjs } from "./tfjs-types.ts";

interface Expected {
  readonly dtype?: DType;
  /** Extents, with names for symbolic ones. */
  readonly shape?: readonly (number | string)[];
}

/** A graph prepared for TensorFlow.js, with copied constants and planned nodes, which all sessions share. */
export class GraphOnTfjs {
  readonly graph: Graph;
  readonly tf: Tfjs;
  readonly plan: readonly PlannedNode[];
  /** Name of the engine, for messages. */
  readonly engine: string;
  readonly #backendName: string;

  readonly #constants = new Map<string, TfValue>();
  readonly #expected = new Map<string, Expected>();
  #isReleased = false;

  /**
   * @param retained - names of values that must not be freed before the end of a run, besides the outputs
   * @throws UnsupportedError if an operator or an element type is not supported
   */
  constructor(
    graph: Graph,
    { tf, backend, backendName }: LoadedTfjs,
    retained: ReadonlySet<string> = new Set(),
  ) {
    this.graph = graph;
    this.tf = tf;
    this.#backendName = backendName;
    this.engine = `tfjs-${backend}`;
    this.plan = planNodes(graph, retained);
    for (const info of graph.inputs) this.#expected.set(info.name, info);
    for (const [name, info] of graph.weights) this.#expected.set(name, info);
    for (const [name, { dtype }] of this.#expected) tfTypeOf(dtype ?? "f32", name);
    this.#useBackend();
    for (const [name, tensor] of graph.constants) {
      this.#constants.set(name, { tensor: tf.keep(toTfTensor(tf, name, tensor)), dtype: tensor.dtype });
    }
  }

  /**
   * Runs `compute` on the feeds and the constants, and returns copies of the values whose names it returns;
   * all other memory that TensorFlow.js has allocated during the call is freed.
   */
  run(
    feeds: ReadonlyMap<string, Tensor>,
    out: ReadonlyMap<string, Tensor>,
    compute: (values: Map<string, TfValue>) => readonly string[],
  ): Map<string, Tensor> {
    if (this.#isReleased) throw this.#error("the session must not be released: it is");
    const inputs = this.#checked(feeds);
    this.#useBackend();
    const { tf } = this;
    tf.engine().startScope();
    try {
      const values = new Map(this.#constants);
      for (const [name, tensor] of inputs) {
        values.set(name, { tensor: toTfTensor(tf, name, tensor), dtype: tensor.dtype });
      }
      const results = new Map<string, Tensor>();
      for (const name of compute(values)) results.set(name, this.#fetch(name, values, out.get(name)));
      return results;
    } finally {
      tf.engine().endScope();
    }
  }

  /** Frees the constants; running afterwards fails. */
  release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    for (const { tensor } of this.#constants.values()) tensor.dispose();
    this.#constants.clear();
  }

  #fetch(name: string, values: ReadonlyMap<string, TfValue>, out: Tensor | undefined): Tensor {
    const value = values.get(name);
    if (value === undefined) throw this.#error(`every output must be computed: nothing computes "${name}"`);
    return fillOutput(name, fromTfTensor(value), out, (reason) => {
      throw this.#error(reason);
    });
  }

  #checked(feeds: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
    const inputs = new Map<string, Tensor>();
    for (const [name, { dtype, shape }] of this.#expected) {
      const tensor = feeds.get(name);
      if (tensor === undefined) throw this.#error(`it needs a tensor for input "${name}"`);
      if (dtype !== undefined && tensor.dtype !== dtype) {
        throw this.#error(`input "${name}" must be ${dtype}: it is ${tensor.dtype}`);
      }
      if (shape !== undefined && !fits(tensor.shape, shape)) {
        throw this.#error(
          `input "${name}" must have shape [${shape.join(", ")}]: it has ${formatShape(tensor.shape)}`,
        );
      }
      inputs.set(name, tensor);
    }
    return inputs;
  }

  #error(reason: string): EngineError {
    return new EngineError(`Cannot run graph "${this.graph.name}" as ${reason}`, {
      engine: this.engine,
    });
  }

  /**
   * Selects the backend, which is global to TensorFlow.js: another engine or the caller may have changed it.
   */
  #useBackend(): void {
    if (this.tf.getBackend() === this.#backendName) return;
    // The backend is already initialised, so it is selected when the call returns.
    void this.tf.setBackend(this.#backendName);
  }
}

function fits(shape: readonly number[], expected: readonly (number | string)[]): boolean {
  if (shape.length !== expected.length) return false;
  return expected.every((extent, axis) => typeof extent === "string" || extent === shape[axis]);
}
