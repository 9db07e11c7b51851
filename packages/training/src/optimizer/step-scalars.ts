import type { DType } from "@isthmus/core";
import type { Graph } from "@isthmus/graph";
import { cast, type GraphBuilder, type Value } from "@isthmus/graph/builder";
import type { ScalarInput } from "../step/training-step.ts";
import { unusedName } from "../unused-name.ts";

/** The numbers that a step takes as data inputs; an input is added when its number is first asked for. */
export class StepScalars {
  readonly #builder: GraphBuilder;
  readonly #graph: Graph;
  readonly #values = new Map<string, Value>();
  readonly #inputs: ScalarInput[] = [];

  /**
   * @param builder - builder of the step's graph, to which inputs are added
   * @param graph - typed; inputs get names that no value of it has
   */
  constructor(builder: GraphBuilder, graph: Graph) {
    this.#builder = builder;
    this.#graph = graph;
  }

  /** The inputs added so far, in order. */
  get inputs(): readonly ScalarInput[] {
    return this.#inputs;
  }

  /**
   * Returns a number that changes from step to step, in an element type.
   * @param name - name of the number: two calls with the same name share one input
   */
  get(name: string, dtype: DType, valueAt: ScalarInput["valueAt"]): Value {
    const existing = this.#values.get(`${name} ${dtype}`);
    if (existing !== undefined) return existing;
    const value = dtype === "f32" ? this.#add(name, valueAt) : cast(this.get(name, "f32", valueAt), dtype);
    this.#values.set(`${name} ${dtype}`, value);
    return value;
  }

  #add(suggestion: string, valueAt: ScalarInput["valueAt"]): Value {
    const name = unusedName(this.#graph, suggestion);
    this.#inputs.push({ name, valueAt });
    return this.#builder.input(name, { dtype: "f32", shape: [] });
  }
}
