import { sizeOf } from "@isthmus/core";
import { dropout, gelu, relu, reshape, sigmoid, silu, tanh, type Value } from "@isthmus/graph/builder";
import { HE_FAN_IN, type LayerInitializer, TORCH_DEFAULT } from "../initializer.ts";
import { linear } from "../layers/linear.ts";
import type { Network, NetworkShape } from "../network.ts";
import { NetworkBuilder } from "../network-builder.ts";
import { resolveNetwork } from "../resolve-network.ts";
import { formatSpec } from "../short-string/format-spec.ts";

/**
 * Initialization of hidden layers: `torch` as in `torch.nn.Linear`; `he` with weights normal of variance 2
 * over the fan-in and biases 0, for rectifiers.
 */
export type MlpStart = "torch" | "he";

/** Options of {@link mlp}. */
export interface MlpOptions {
  /** Widths of the hidden layers, from input to output; at least one. */
  readonly widths: readonly number[];
  /** Activation after each hidden layer. @defaultValue "relu" */
  readonly activation?: Activation;
  /** Dropout rate of hidden units in training, in `[0, 0.99]`. @defaultValue 0 */
  readonly dropout?: number;
  /** Initialization of hidden layers. @defaultValue "torch" */
  readonly start?: MlpStart;
}

/** Defaults of {@link MlpOptions}, except for the widths. */
export const MLP_DEFAULTS: Required<Omit<MlpOptions, "widths">> = Object.freeze({
  activation: "relu",
  dropout: 0,
  start: "torch",
});

const STARTS: Readonly<Record<MlpStart, LayerInitializer>> = { torch: TORCH_DEFAULT, he: HE_FAN_IN };

/**
 * Builds a multilayer perceptron: examples are flattened, then pass the linear layers `layers.0`, `layers.1`,
 * ... with an activation between them.
 *
 * The last layer is initialized as in `torch.nn.Linear`, with weights and biases uniform within 1 over the
 * square root of the fan-in, and so are hidden layers by default. This initialization passes on a sixth of
 * the variance at each rectifier, so that plain SGD is slow at first: with a learning rate of 0.05 and no
 * momentum, `mlp:512x3` classifies 96.3 % of MNIST's test images after 3 epochs (seed 0), and 97.1 % with the
 * initialization `he` (96.8 to 97.2 over five seeds). But two networks with the initialization `he`, trained
 * with default settings, have a higher barrier after alignment: 0.53 nats instead of 0.024.
 * @throws OutOfRangeError if an option is not allowed
 */
export function mlp(options: MlpOptions, shape: NetworkShape): Network {
  const defaults = { ...MLP_DEFAULTS, widths: [] as readonly number[] };
  const resolved = resolveNetwork("mlp", { defaults, options, shape });
  const { widths, activation, dropout: ratio, start } = resolved;
  const network = new NetworkBuilder("mlp");
  const initializer = STARTS[start];
  let x = reshape(network.input("x", shape.exampleShape), [-1, sizeOf(shape.exampleShape)]);
  widths.forEach((out, i) => {
    x = dropout(ACTIVATIONS[activation](linear(network, x, `layers.${i}`, { out, initializer })), ratio);
  });
  const logits = linear(network, x, `layers.${widths.length}`, { out: shape.classes });
  return network.build(logits, formatSpec("mlp", resolved, MLP_DEFAULTS));
}

/**
 * Name of an activation, an element-wise function; `gelu` is exact, rather than the approximation by `tanh`.
 */
export type Activation = "relu" | "gelu" | "silu" | "tanh" | "sigmoid";

/** Activations by name. */
const ACTIVATIONS: Readonly<Record<Activation, (x: Value) => Value>> = {
  relu,
  gelu: (x) => gelu(x),
  silu,
  tanh,
  sigmoid,
};
