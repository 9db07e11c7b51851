import { at } from "@isthmus/core";
import { add, groupNorm, mul, reshape, type Value } from "@isthmus/graph/builder";
import { constant, TORCH_DEFAULT } from "../../initializer.ts";
import { convolution } from "../convolution.ts";
import { linear } from "../linear.ts";
import type { UnetContext } from "./unet-context.ts";

/** Normalises `x [N, channels, height, width]` by groups, with the weights `name.weight` and `name.bias`. */
export function normalizeChannels(
  { network, groups }: Pick<UnetContext, "network" | "groups">,
  x: Value,
  name: string,
  epsilon: number,
): Value {
  const channels = at(x.shape, 1, "axis");
  const scale = network.weight(`${name}.weight`, [channels], constant(1));
  const bias = network.weight(`${name}.bias`, [channels], constant(0));
  return groupNorm(x, groups, { scale, bias, epsilon });
}

/** Convolves images with kernels of a side, with a bias. */
export function convolveWithBias(
  { network }: Pick<UnetContext, "network">,
  x: Value,
  name: string,
  options: { readonly out: number; readonly side: number; readonly stride?: number; readonly pad?: number },
): Value {
  return convolution(network, x, name, { ...options, bias: true, initializer: TORCH_DEFAULT });
}

/**
 * Adds two convolutions behind group norms, between which the embedding of the time step is added to the
 * channels, to their input `[N, channels, height, width]`; a convolution of one pixel changes the number of
 * channels of the input if it differs from `out`.
 * @param scale - number by which the sum is divided
 * @see Ho et al., Denoising diffusion probabilistic models, 2020, appendix B
 */
export function residualBlock(
  context: UnetContext,
  x: Value,
  name: string,
  { out, scale = 1 }: { readonly out: number; readonly scale?: number },
): Value {
  const { network, activation, epsilon, time } = context;
  const normalize = (value: Value, norm: string) =>
    activation(normalizeChannels(context, value, `${name}.${norm}`, epsilon));
  const first = convolveWithBias(context, normalize(x, "norm1"), `${name}.conv1`, { out, side: 3 });
  const shift = reshape(linear(network, time, `${name}.time_emb_proj`, { out }), [-1, out, 1, 1]);
  const second = normalize(add(first, shift), "norm2");
  const branch = convolveWithBias(context, second, `${name}.conv2`, { out, side: 3 });
  const passed =
    at(x.shape, 1, "axis") === out
      ? x
      : convolveWithBias(context, x, `${name}.conv_shortcut`, { out, side: 1 });
  const sum = add(passed, branch);
  return scale === 1 ? sum : mul(sum, 1 / scale);
}
