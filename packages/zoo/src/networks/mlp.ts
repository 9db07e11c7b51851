import { sizeOf } from "@isthmus/core";
import { dropout, reshape } from "@isthmus/graph/build";
import { ACTIVATIONS, type Activation } from "../layers/activation.ts";
import { linear } from "../layers/linear.ts";
import type { Network, NetworkShape } from "../network.ts";
import { NetworkBuilder } from "../network-builder.ts";
import { resolveNetwork } from "../resolve-network.ts";
import { formatSpec } from "../spec/format-spec.ts";

/** Options of {@link mlp}. */
export interface MlpOptions {
  /** Widths of the hidden layers, the first first; at least one. */
  readonly widths: readonly number[];
  /** What follows each hidden layer. @defaultValue "relu" */
  readonly activation?: Activation;
  /** Share of hidden units dropped in training, in `[0, 0.99]`. @defaultValue 0 */
  readonly dropout?: number;
}

/** Defaults of {@link MlpOptions}; the widths have none. */
export const MLP_DEFAULTS: Required<Omit<MlpOptions, "widths">> = Object.freeze({
  activation: "relu",
  dropout: 0,
});

/**
 * A multilayer perceptron: examples flattened, then linear layers `layers.0`, `layers.1`, ... with an activation between them.
 * Starts as `torch.nn.Linear` does: weights and biases uniform within 1 over the root of the fan-in.
 * @throws RangeError if an option is not allowed
 */
export function mlp(options: MlpOptions, shape: NetworkShape): Network {
  const defaults = { ...MLP_DEFAULTS, widths: [] as readonly number[] };
  const resolved = resolveNetwork("mlp", { defaults, options, shape });
  const { widths, activation, dropout: ratio } = resolved;
  const network = new NetworkBuilder("mlp");
  let x = reshape(network.input("x", shape.exampleShape), [-1, sizeOf(shape.exampleShape)]);
  widths.forEach((out, i) => {
    x = dropout(ACTIVATIONS[activation](linear(network, x, `layers.${i}`, { out })), ratio);
  });
  const logits = linear(network, x, `layers.${widths.length}`, { out: shape.classes });
  return network.build(logits, formatSpec("mlp", resolved, MLP_DEFAULTS));
}
