import { type DType, EngineError, formatShape, sameShape, type Tensor } from "@isthmus/core";
import type { Graph } from "@isthmus/graph";
import type { LoadedTfjs } from "./load-tfjs.ts";
import { type PlannedNode, planNodes } from "./run-nodes.ts";
import { fromTfTensor, type TfValue, tfTypeOf, toTfTensor } from "./tensors.ts";
import type { Tfjs } from "./tfjs-types.ts";

interface Expected {
  readonly dtype?: DType;
  /** Extents, symbolic ones as their names. */
  readonly shape?: readonly (number | string)[];
}

/** A graph whose constants are with TensorFlow.js and whose nodes are planned: what sessions have in common. */
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
   * @param kept - values to keep until the end of a run, besides the outputs
   * @throws UnsupportedError if an operator or an element type is not handled
   */
  constructor(graph: Graph, { tf, backend, backendName }: LoadedTfjs, kept: ReadonlySet<string> = new Set()) {
    this.graph = graph;
    this.tf = tf;
    this.#backendName = backendName;
    this.engine = `tfjs-${backend}`;
    this.plan = planNodes(graph, kept);
    for (const info of graph.inputs) this.#expected.set(info.name, info);
    for (const [name, info] of graph.weights) this.#expected.set(name, info);
    for (const [name, { dtype }] of this.#expected) tfTypeOf(dtype ?? "f32", name);
    this.#useBackend();
    for (const [name, tensor] of graph.constants) {
      this.#constants.set(name, { tensor: tf.keep(toTfTensor(tf, name, tensor)), dtype: tensor.dtype });
    }
  }

  /**
   * Runs `compute` on the tensors given and the constants, and copies the outputs it leaves there; everything
   * TensorFlow.js allocated on the way is freed.
   */
  run(
    feeds: ReadonlyMap<string, Tensor>,
    out: ReadonlyMap<string, Tensor>,
    compute: (values: Map<string, TfValue>) => readonly string[],
  ): Map<string, Tensor> {
    if (this.#isReleased) throw this.#error("the session must not be released: it is");
    const given = this.#checked(feeds);
    this.#useBackend();
    const { tf } = this;
    tf.engine().startScope();
    try {
      const values = new Map(this.#constants);
      for (const [name, tensor] of given) {
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
    const result = fromTfTensor(value);
    if (out === undefined) return result;
    if (out.dtype !== result.dtype || !sameShape(out.shape, result.shape)) {
      throw this.#error(
        `the tensor for output "${name}" must be ${result.dtype} ${formatShape(result.shape)}: it is ${out.dtype} ${formatShape(out.shape)}`,
      );
    }
    (out.data as Float32Array).set(result.data as Float32Array);
    return out;
  }

  #checked(feeds: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
    const given = new Map<string, Tensor>();
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
      given.set(name, tensor);
    }
    return given;
  }

  #error(reason: string): EngineError {
    return new EngineError(`Cannot run graph "${this.graph.name}" as ${reason}`, {
      engine: this.engine,
    });
  }

  /** The backend is global to TensorFlow.js; another engine or the caller may have changed it. */
  #useBackend(): void {
    if (this.tf.getBackend() === this.#backendName) return;
    // It is initialised already, so that it is in place when the call returns.
    void this.tf.setBackend(this.#backendName);
  }
}

function fits(shape: readonly number[], wanted: readonly (number | string)[]): boolean {
  if (shape.length !== wanted.length) return false;
  return wanted.every((extent, axis) => typeof extent === "string" || extent === shape[axis]);
}
