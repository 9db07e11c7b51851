import { gelu, relu, sigmoid, silu, tanh, type Value } from "@isthmus/graph/builder";

/** Name of a function of single units; `gelu` is the exact one. */
export type Activation = "relu" | "gelu" | "silu" | "tanh" | "sigmoid";

/** Functions of single units, by name. */
export const ACTIVATIONS: Readonly<Record<Activation, (x: Value) => Value>> = {
  relu,
  gelu: (x) => gelu(x),
  silu,
  tanh,
  sigmoid,
};
