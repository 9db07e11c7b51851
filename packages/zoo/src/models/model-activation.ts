import { UnsupportedError } from "@isthmus/core";
import { gelu, mul, relu, sigmoid, silu, tanh, type Value } from "@isthmus/graph/builder";
import type { ModelConfig } from "./model-config.ts";

const approximateGelu = (x: Value): Value => gelu(x, { approximate: true });

/** Activations by their names in configs. */
const FUNCTIONS: Readonly<Record<string, (x: Value) => Value>> = {
  gelu: (x) => gelu(x),
  gelu_new: approximateGelu,
  gelu_fast: approximateGelu,
  gelu_pytorch_tanh: approximateGelu,
  quick_gelu: (x) => mul(x, sigmoid(mul(x, 1.702))),
  relu,
  sigmoid,
  silu,
  swish: silu,
  tanh,
};

/**
 * Returns the activation that a field of a config names.
 * @throws UnsupportedError if the name is not in the table
 */
export function modelActivation(config: ModelConfig, field: string): (x: Value) => Value {
  const name = config.text(field);
  const activation = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined;
  if (activation !== undefined) return activation;
  throw new UnsupportedError(
    `Cannot build the network of "${config.source}" as "${field}" must be one of ${Object.keys(FUNCTIONS).join(", ")}: it is "${name}"`,
    { feature: name },
  );
}
