import type { Value } from "../builder/graph-builder.ts";
import { transpose } from "../builder/operators/layout.ts";

/**
 * A value between layers. Images have their channels last, as in the model, or first, as in ONNX. Each form
 * is computed from the other when it is first needed, so that consecutive layers with the same form need no
 * transposition.
 */
export class Flow {
  #last: Value | undefined;
  #first: Value | undefined;

  private constructor(last: Value | undefined, first: Value | undefined) {
    this.#last = last;
    this.#first = first;
  }

  /** Makes a flow of a value with its axes in the order of the model. */
  static last(value: Value): Flow {
    return new Flow(value, undefined);
  }

  /** Makes a flow of an image `[batch, channels, height, width]`. */
  static first(value: Value): Flow {
    return new Flow(undefined, value);
  }

  /** Shape in the order of the model. */
  get shape(): readonly number[] {
    if (this.#last !== undefined) return this.#last.shape;
    const [batch = 0, channels = 0, height = 0, width = 0] = this.first().shape;
    return [batch, height, width, channels];
  }

  /** Whether the form with channels first exists, so that it can be used at no cost. */
  get isFirst(): boolean {
    return this.#first !== undefined;
  }

  /** Returns the value with its axes in the order of the model. */
  last(): Value {
    this.#last ??= transpose(this.#first as Value, [0, 2, 3, 1]);
    return this.#last;
  }

  /** Returns the value as an image `[batch, channels, height, width]`. */
  first(): Value {
    this.#first ??= transpose(this.#last as Value, [0, 3, 1, 2]);
    return this.#first;
  }

  /** Applies an element-wise function, in the form that exists. */
  map(apply: (value: Value) => Value): Flow {
    return this.isFirst ? Flow.first(apply(this.first())) : Flow.last(apply(this.last()));
  }
}
