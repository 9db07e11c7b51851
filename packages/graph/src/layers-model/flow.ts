import type { Value } from "../builder/graph-builder.ts";
import { transpose } from "../builder/operators/layout.ts";

/**
 * A value between layers. Images have their channels last, as the model has them, or first, as ONNX computes on them; either
 * form is made of the other when it is first asked for, so that layers that follow each other transpose nothing.
 */
export class Flow {
  #last: Value | undefined;
  #first: Value | undefined;

  private constructor(last: Value | undefined, first: Value | undefined) {
    this.#last = last;
    this.#first = first;
  }

  /** Of a value with its axes in the order that the model has. */
  static last(value: Value): Flow {
    return new Flow(value, undefined);
  }

  /** Of an image `[batch, channels, height, width]`. */
  static first(value: Value): Flow {
    return new Flow(undefined, value);
  }

  /** Shape as the model has it. */
  get shape(): readonly number[] {
    if (this.#last !== undefined) return this.#last.shape;
    const [batch = 0, channels = 0, height = 0, width = 0] = this.#first?.shape ?? [];
    return [batch, height, width, channels];
  }

  /** Whether the channels come first so far, so that it is cheapest to go on so. */
  get isFirst(): boolean {
    return this.#first !== undefined;
  }

  /** With the axes in the order that the model has. */
  last(): Value {
    this.#last ??= transpose(this.#first as Value, [0, 2, 3, 1]);
    return this.#last;
  }

  /** As an image `[batch, channels, height, width]`. */
  first(): Value {
    this.#first ??= transpose(this.#last as Value, [0, 3, 1, 2]);
    return this.#first;
  }

  /** Applies something element by element, in the form that is there. */
  map(apply: (value: Value) => Value): Flow {
    return this.isFirst ? Flow.first(apply(this.first())) : Flow.last(apply(this.last()));
  }
}
