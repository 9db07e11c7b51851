import { allocateData, at, convertInto } from "@isthmus/core";
import {
  deriveStreamKey,
  type MergeMethod,
  type PlannedTensor,
  passthrough,
  randomBitsInto,
  resolveParameters,
} from "@isthmus/merging";

const PARAMETERS = {
  noise_scale: {
    description: "Standard deviation of normal noise that is added.",
    of: "merge",
    default: 0,
    least: 0,
  },
  residual_scale: { description: "Factor of all elements.", of: "merge", default: 1 },
} as const;

const TURN = 2 * Math.PI;

/**
 * Adds normal noise to a matrix of an expert, and multiplies the sum by a factor. The noise of an element
 * depends on the seed, the name of the tensor and its position alone.
 */
const noisyExpert: MergeMethod<typeof PARAMETERS> = {
  name: "noisy_expert",
  description: "Adds normal noise to a tensor of one network, and scales it.",
  source: "mergekit 0.1.5, mergekit.moe.common.noise_and_scale",
  parameters: PARAMETERS,
  networks: { least: 1, most: 1, base: "none" },
  blendInto({ tensor, begin, parts }, out) {
    const { noise_scale: deviation, residual_scale: factor } = tensor.parameters;
    const count = out.data.length;
    const values = allocateData("f32", count) as Float32Array;
    convertInto(at(parts, 0), { dtype: "f32", data: values });
    const bits = new Uint32Array(2 * count);
    randomBitsInto(deriveStreamKey({ seed: tensor.seed, tensor: tensor.name, network: 0 }), 2 * begin, bits);
    for (let i = 0; i < count; i++) {
      // The transform of Box and Muller; 1 is added as the logarithm of 0 is infinite.
      const radius = Math.sqrt(-2 * Math.log((at(bits, 2 * i) + 1) / 2 ** 32));
      const noise = radius * Math.cos((TURN * at(bits, 2 * i + 1)) / 2 ** 32);
      values[i] = factor * (at(values, i) + deviation * noise);
    }
    convertInto({ dtype: "f32", data: values }, out);
  },
};

/** Rule and parameters by which a matrix of an expert is made; the rule is undefined for a copy. */
export type ExpertRule = Pick<PlannedTensor, "method" | "parameters">;

/** Returns the rule for a matrix of an expert with noise, and a factor. */
export function expertRule(name: string, noise: number, factor: number): ExpertRule {
  const place = { tensor: name, networks: 1 };
  if (noise !== 0) {
    const values = { noise_scale: noise, residual_scale: factor };
    const { name: method, parameters } = noisyExpert;
    return { method: noisyExpert, parameters: resolveParameters(method, parameters, values, place) };
  }
  if (factor === 1) return { method: undefined, parameters: {} };
  const { name: method, parameters } = passthrough;
  return { method: passthrough, parameters: resolveParameters(method, parameters, { scale: factor }, place) };
}
