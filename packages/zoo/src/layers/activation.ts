import { gelu, relu, sigmoid, silu, tanh, type Value } from "@isthmus/graph/builder";

/** Name of an activation, a function of single units; `gelu` is exact, not the approximation by `tanh`. */
export type Activation = "relu" | "gelu" | "silu" | "tanh" | "sigmoid";

/** Activations by name. */
export const ACTIVATIONS: Readonly<Record<Activation, (x: Value) => Value>> = {
  relu,
  gelu: (x) => gelu(x),
  silu,
  tanh,
  sigmoid,
};
