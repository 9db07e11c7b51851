import { at } from "@isthmus/core";
import { mul, split, type Value } from "@isthmus/graph/builder";
import { normalWeight } from "../initializer.ts";
import type { NetworkBuilder } from "../network-builder.ts";
import { linear } from "./linear.ts";

/** Extents and names of a feed-forward network whose hidden units are multiplied by gates. */
export interface GatedUnits {
  /** Number of hidden units. */
  readonly hidden: number;
  /** Function of the gates, by which hidden units are multiplied. */
  readonly activation: (x: Value) => Value;
  /** Whether the layers have biases. @defaultValue false */
  readonly bias?: boolean;
  /** Whether gates and units come from one projection, `gate_up_proj`. @defaultValue false */
  readonly fused?: boolean;
  /** Names of the layers. @defaultValue the names in Llama: `gate_proj`, `up_proj`, `down_proj` */
  readonly layers?: GatedLayers;
}

/** Names of the layers of a gated feed-forward network. */
export interface GatedLayers {
  /** Layer of the gates. */
  readonly gates: string;
  /** Layer of the hidden units. */
  readonly up: string;
  /** Layer from the hidden units back to the width of the rows. */
  readonly down: string;
}

const LLAMA_LAYERS: GatedLayers = { gates: "gate_proj", up: "up_proj", down: "down_proj" };

const START = normalWeight(0.02);

/**
 * Multiplies gates by hidden units, and projects the products back to the width of the rows.
 * @param name - prefix of the names of its layers
 * @see Shazeer, GLU variants improve transformer, 2020
 */
export function gatedUnits(network: NetworkBuilder, rows: Value, name: string, units: GatedUnits): Value {
  const { hidden, activation, bias = false, fused = false, layers = LLAMA_LAYERS } = units;
  const project = (x: Value, layer: string, out: number) =>
    linear(network, x, `${name}.${layer}`, { out, initializer: START, bias });
  const [gates, values] = fused
    ? (split(project(rows, "gate_up_proj", 2 * hidden), 1, [hidden, hidden]) as [Value, Value])
    : [project(rows, layers.gates, hidden), project(rows, layers.up, hidden)];
  return project(mul(activation(gates), values), layers.down, at(rows.shape, 1, "axis"));
}
