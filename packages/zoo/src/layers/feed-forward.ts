import { at } from "@isthmus/core";
import type { Value } from "@isthmus/graph/builder";
import type { LayerInitializer } from "../initializer.ts";
import type { NetworkBuilder } from "../network-builder.ts";
import { linear } from "./linear.ts";

/** Options of {@link feedForward}. */
export interface FeedForwardOptions {
  /** Name of the layer from the rows to the hidden units. */
  readonly up: string;
  /** Name of the layer from the hidden units back to the width of the rows. */
  readonly down: string;
  /** Number of hidden units. */
  readonly hidden: number;
  /** Function of the hidden units, which lies between the two layers. */
  readonly activation: (x: Value) => Value;
  /** Initializer of the layer `up`. */
  readonly initializer: LayerInitializer;
  /** Initializer of the layer `down`. @defaultValue the initializer of `up` */
  readonly downInitializer?: LayerInitializer;
  /** Function that is applied to the hidden units. @defaultValue none */
  readonly drop?: (hidden: Value) => Value;
  /** Whether weights are `[in, out]` instead of `[out, in]`. @defaultValue false */
  readonly inputFirst?: boolean;
  /** Whether both layers have biases. @defaultValue true */
  readonly bias?: boolean;
}

/**
 * Applies two linear layers with an activation between them
 * to each of the rows `[rows, width]`; keeps their width.
 */
export function feedForward(
  network: NetworkBuilder,
  rows: Value,
  {
    up,
    down,
    hidden,
    activation,
    initializer,
    downInitializer = initializer,
    drop = (units) => units,
    inputFirst = false,
    bias = true,
  }: FeedForwardOptions,
): Value {
  const units = activation(linear(network, rows, up, { out: hidden, initializer, inputFirst, bias }));
  const out = at(rows.shape, 1, "axis");
  return linear(network, drop(units), down, { out, initializer: downInitializer, inputFirst, bias });
}
