import { at } from "@isthmus/core";
import { add, gelu, mul, reshape, split, transpose, type Value } from "@isthmus/graph/builder";
import { attention, joinHeads, splitHeads, splitKeys } from "../attention.ts";
import { linear } from "../linear.ts";
import { rowNorm } from "../row-norm.ts";
import { convolveWithBias, normalizeChannels } from "./residual-block.ts";
import type { TextRows, UnetContext } from "./unet-context.ts";

/** Number that group norms before a transformer add to the variance. */
const TRANSFORMER_EPSILON = 1e-6;

/** Number that layer norms in a transformer add to the variance. */
const ROW_EPSILON = 1e-5;

/** Makes a row of each pixel: `[N * height * width, channels]` of `[N, channels, height, width]`. */
function toRows(x: Value): Value {
  const [channels, height, width] = extentsOf(x);
  return reshape(transpose(reshape(x, [-1, channels, height * width]), [0, 2, 1]), [-1, channels]);
}

/** Makes images of rows of pixels, of the height and width of `like`. */
function toImages(rows: Value, like: Value): Value {
  const [, height, width] = extentsOf(like);
  const channels = at(rows.shape, 1, "axis");
  const columns = transpose(reshape(rows, [-1, height * width, channels]), [0, 2, 1]);
  return reshape(columns, [-1, channels, height, width]);
}

function extentsOf({ shape }: Value): readonly [channels: number, height: number, width: number] {
  return [at(shape, 1, "axis"), at(shape, 2, "axis"), at(shape, 3, "axis")];
}

/** Names of the four layers of an attention, and whether the first three have biases. */
interface Layers {
  readonly names: readonly [query: string, key: string, value: string, output: string];
  readonly bias: boolean;
}

const NAMES = ["to_q", "to_k", "to_v", "to_out.0"] as const;
const OLD_NAMES = ["query", "key", "value", "proj_attn"] as const;

/** Lets rows attend to others, `source`, and projects the heads back to the width of the rows. */
function attend(
  { network }: UnetContext,
  { rows, length, source }: TextRows & { readonly source: TextRows },
  name: string,
  { heads, names, bias }: Layers & { readonly heads: number },
): Value {
  const out = at(rows.shape, 1, "axis");
  const [query, key, value, output] = names;
  const project = (from: Value, layer: string) => linear(network, from, `${name}.${layer}`, { out, bias });
  const mixed = attention({
    queries: splitHeads(project(rows, query), { length, heads }),
    keys: splitKeys(project(source.rows, key), { length: source.length, heads }),
    values: splitHeads(project(source.rows, value), { length: source.length, heads }),
  });
  return linear(network, joinHeads(mixed), `${name}.${output}`, { out });
}

/**
 * Adds an attention between the pixels of an image, behind a group norm, to its input
 * `[N, channels, height, width]`.
 * @param scale - number by which the sum is divided
 */
export function pixelAttention(
  context: UnetContext,
  x: Value,
  name: string,
  { heads, scale = 1 }: { readonly heads: number; readonly scale?: number },
): Value {
  const [, height, width] = extentsOf(x);
  const normal = normalizeChannels(context, x, `${name}.group_norm`, context.epsilon);
  const pixels = { rows: toRows(normal), length: height * width };
  const names = context.hasOldNames ? OLD_NAMES : NAMES;
  const mixed = attend(context, { ...pixels, source: pixels }, name, { heads, names, bias: true });
  const sum = add(toImages(mixed, x), x);
  return scale === 1 ? sum : mul(sum, 1 / scale);
}

/**
 * Adds a transformer over the pixels of an image to its input `[N, channels, height, width]`: each of its
 * blocks attends to the pixels, then to the tokens of the text, and ends in a gated feed-forward network.
 * @see Rombach et al., High-resolution image synthesis with latent diffusion models, 2022, appendix E.2.1
 */
export function pixelTransformer(
  context: UnetContext,
  x: Value,
  name: string,
  { heads, depth }: { readonly heads: number; readonly depth: number },
): Value {
  const { network, areProjectionsLinear: isLinear } = context;
  const [out, height, width] = extentsOf(x);
  const normal = normalizeChannels(context, x, `${name}.norm`, TRANSFORMER_EPSILON);
  const convolve = (images: Value, layer: string) =>
    convolveWithBias(context, images, `${name}.${layer}`, { out, side: 1 });
  const project = (rows: Value, layer: string) => linear(network, rows, `${name}.${layer}`, { out });
  let rows = isLinear ? project(toRows(normal), "proj_in") : toRows(convolve(normal, "proj_in"));
  for (let i = 0; i < depth; i++) {
    const block = `${name}.transformer_blocks.${i}`;
    rows = transformerBlock(context, { rows, length: height * width }, block, heads);
  }
  const images = isLinear ? toImages(project(rows, "proj_out"), x) : convolve(toImages(rows, x), "proj_out");
  return add(images, x);
}

function transformerBlock(context: UnetContext, pixels: TextRows, name: string, heads: number): Value {
  const { network } = context;
  const { length } = pixels;
  const layers = { names: NAMES, bias: false, heads };
  let { rows } = pixels;
  for (const [index, text] of [undefined, context.text].entries()) {
    const normal = { rows: rowNorm(network, rows, `${name}.norm${index + 1}`, ROW_EPSILON), length };
    const source = text ?? normal;
    rows = add(rows, attend(context, { ...normal, source }, `${name}.attn${index + 1}`, layers));
  }
  const out = at(rows.shape, 1, "axis");
  const normal = rowNorm(network, rows, `${name}.norm3`, ROW_EPSILON);
  const both = linear(network, normal, `${name}.ff.net.0.proj`, { out: 8 * out });
  const [hidden, gate] = split(both, 1, [4 * out, 4 * out]) as [Value, Value];
  return add(rows, linear(network, mul(hidden, gelu(gate)), `${name}.ff.net.2`, { out }));
}
