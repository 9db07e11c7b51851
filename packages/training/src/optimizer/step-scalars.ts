import type { DType } from "@isthmus/core";
import { cast, type GraphBuilder, type Value } from "@isthmus/graph/build";
import type { ScalarInput } from "../step/training-step.ts";

/** Numbers that a step is told, made when they are first asked for. */
export class StepScalars {
  readonly #builder: GraphBuilder;
  readonly #values = new Map<string, Value>();
  readonly #inputs: ScalarInput[] = [];

  constructor(builder: GraphBuilder) {
    this.#builder = builder;
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

  #add(name: string, valueAt: ScalarInput["valueAt"]): Value {
    this.#inputs.push({ name, valueAt });
    return this.#builder.input(name, { dtype: "f32", shape: [] });
  }
}
