import { sizeOf } from "@isthmus/core";
import { dropout, reshape } from "@isthmus/graph/build";
import { HE_FAN_IN, type LayerInitializer, TORCH_DEFAULT } from "../initializer.ts";
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

/** How a hidden layer starts, by what follows it: what halves its values, or saturates. */
const STARTS: Readonly<Record<Activation, LayerInitializer>> = {
  relu: HE_FAN_IN,
  gelu: HE_FAN_IN,
  silu: HE_FAN_IN,
  tanh: TORCH_DEFAULT,
  sigmoid: TORCH_DEFAULT,
};

/**
 * A multilayer perceptron: examples flattened, then linear layers `layers.0`, `layers.1`, ... with an activation between them.
 *
 * Hidden layers before `relu`, `gelu` and `silu` start normal of variance 2 over the fan-in, with biases 0; others, and the last
 * layer, as `torch.nn.Linear` does: weights and biases uniform within 1 over the root of the fan-in. PyTorch's start everywhere
 * passes on a sixth of the variance at each rectifier: plain SGD at 0.05 then reads 96.3 % of MNIST's test images after 3 epochs
 * of `mlp:512x3` instead of 97.2 %.
 * @throws RangeError if an option is not allowed
 */
export function mlp(options: MlpOptions, shape: NetworkShape): Network {
  const defaults = { ...MLP_DEFAULTS, widths: [] as readonly number[] };
  const resolved = resolveNetwork("mlp", { defaults, options, shape });
  const { widths, activation, dropout: ratio } = resolved;
  const network = new NetworkBuilder("mlp");
  const initializer = STARTS[activation];
  let x = reshape(network.input("x", shape.exampleShape), [-1, sizeOf(shape.exampleShape)]);
  widths.forEach((out, i) => {
    x = dropout(ACTIVATIONS[activation](linear(network, x, `layers.${i}`, { out, initializer })), ratio);
  });
  const logits = linear(network, x, `layers.${widths.length}`, { out: shape.classes });
  return network.build(logits, formatSpec("mlp", resolved, MLP_DEFAULTS));
}
