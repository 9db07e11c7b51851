import type { Value } from "../../builder/graph-builder.ts";
import { clip, elu, gelu, hardSigmoid, silu, softplus } from "../../builder/operators/activation.ts";
import {
  abs,
  add,
  div,
  greater,
  leakyRelu,
  mul,
  relu,
  sigmoid,
  tanh,
  where,
} from "../../builder/operators/elementwise.ts";
import { softmax } from "../../builder/operators/normalize.ts";
import type { ConfigReader } from "../config-reader.ts";
import { Flow } from "../flow.ts";
import { type BuildLayer, onlyInput } from "../layer-context.ts";

/** Factors of SELU (Klambauer et al. 2017). */
const SELU_ALPHA = 1.6732632423543772;
const SELU_SCALE = 1.0507009873554805;

/** Activations by their names in Keras and TensorFlow.js, without the identity and softmax. */
const ACTIVATIONS: Readonly<Record<string, (x: Value) => Value>> = {
  relu,
  relu6: (x) => clip(x, 0, 6),
  sigmoid,
  hard_sigmoid: (x) => hardSigmoid(x),
  tanh,
  elu: (x) => elu(x),
  selu: (x) => mul(elu(x, SELU_ALPHA), SELU_SCALE),
  softplus,
  softsign: (x) => div(x, add(abs(x), 1)),
  swish: silu,
  silu,
  gelu: (x) => gelu(x),
  gelu_new: (x) => gelu(x, { approximate: true }),
  mish: (x) => mul(x, tanh(softplus(x))),
};

/**
 * Applies an activation by its name.
 * @throws UnsupportedError if there is no activation of that name
 */
function activate(flow: Flow, name: string, config: ConfigReader): Flow {
  if (name === "linear") return flow;
  if (name === "softmax") return Flow.last(softmax(flow.last()));
  const apply = Object.hasOwn(ACTIVATIONS, name) ? ACTIVATIONS[name] : undefined;
  if (apply !== undefined) return flow.map(apply);
  throw config.unsupported(`its activation is not handled: "${name}"`, name);
}

/** Applies the activation that the settings of a layer with weights name. */
export const ownActivation = (flow: Flow, config: ConfigReader): Flow =>
  activate(flow, config.text("activation", "linear"), config);

const reluLayer: BuildLayer = (context) => {
  const { config } = context;
  config.assert("negative_slope", config.number("negative_slope", 0) === 0, "0");
  config.assert("threshold", config.number("threshold", 0) === 0, "0");
  const limit = config.value("max_value");
  return onlyInput(context).map((x) =>
    limit === undefined ? relu(x) : clip(x, 0, config.number("max_value", 0)),
  );
};

const softmaxLayer: BuildLayer = (context) => {
  const [axis = -1] = context.config.integers("axis", [-1]);
  return Flow.last(softmax(onlyInput(context).last(), axis));
};

const thresholdedRelu: BuildLayer = (context) =>
  onlyInput(context).map((x) => where(greater(x, context.config.number("theta", 1)), x, mul(x, 0)));

/** Layers that are activations. */
export const ACTIVATION_LAYERS: Readonly<Record<string, BuildLayer>> = {
  Activation: (context) => ownActivation(onlyInput(context), context.config),
  ReLU: reluLayer,
  LeakyReLU: (context) => {
    const { config } = context;
    const slope = config.number("alpha", config.number("negative_slope", 0.3));
    return onlyInput(context).map((x) => leakyRelu(x, slope));
  },
  ELU: (context) => onlyInput(context).map((x) => elu(x, context.config.number("alpha", 1))),
  ThresholdedReLU: thresholdedRelu,
  Softmax: softmaxLayer,
};
