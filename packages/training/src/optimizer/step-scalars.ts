import type { DType } from "@isthmus/core";
import type { Graph } from "@isthmus/graph";
import { cast, type GraphBuilder, type Value } from "@isthmus/graph/builder";
import type { ScalarInput } from "../step/training-step.ts";
import { unusedName } from "../unused-name.ts";

/** Numbers that a step is told, made when they are first asked for. */
export class StepScalars {
  readonly #builder: GraphBuilder;
  readonly #graph: Graph;
  readonly #values = new Map<string, Value>();
  readonly #inputs: ScalarInput[] = [];

  /**
   * @param builder - where inputs are added
   * @param graph - typed; names of its values are taken
   */
  constructor(builder: GraphBuilder, graph: Graph) {
    this.#builder = builder;
    this.#graph = graph;
  }

  /** The inputs that were asked for, in order. */
  get inputs(): readonly ScalarInput[] {
    return this.#inputs;
  }

  /**
   * A number that changes from step to step, in an element type.
   * @param name - the same name stands for the same number
   */
  get(name: string, dtype: DType, valueAt: ScalarInput["valueAt"]): Value {
    const known = this.#values.get(`${name} ${dtype}`);
    if (known !== undefined) return known;
    const value = dtype === "f32" ? this.#add(name, valueAt) : cast(this.get(name, "f32", valueAt), dtype);
    this.#values.set(`${name} ${dtype}`, value);
    return value;
  }

  #add(wanted: string, valueAt: ScalarInput["valueAt"]): Value {
    const name = unusedName(this.#graph, wanted);
    this.#inputs.push({ name, valueAt });
    return this.#builder.input(name, { dtype: "f32", shape: [] });
  }
}
