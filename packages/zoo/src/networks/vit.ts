import {
  add,
  dropout,
  gelu,
  pad,
  reshape,
  slice,
  split,
  transpose,
  type Value,
} from "@isthmus/graph/builder";
import { imageShape } from "../image-shape.ts";
import { normal, normalWeight, TORCH_DEFAULT } from "../initializer.ts";
import { attention, joinHeads, splitHeads, splitKeys } from "../layers/attention.ts";
import { convolution } from "../layers/convolution.ts";
import { linear } from "../layers/linear.ts";
import { rowNorm } from "../layers/row-norm.ts";
import type { Network, NetworkShape } from "../network.ts";
import { NetworkBuilder } from "../network-builder.ts";
import { assertDivides, resolveNetwork } from "../resolve-network.ts";
import { formatSpec } from "../short-string/format-spec.ts";

/** Options of {@link vit}. */
export interface VitOptions {
  /** Side of a patch in pixels; divides the sides of the image. @defaultValue 16 */
  readonly patch?: number;
  /** Blocks. @defaultValue 12 */
  readonly depth?: number;
  /** Width of the residual stream. @defaultValue 768 */
  readonly width?: number;
  /** Heads of each attention; divides the width. @defaultValue 12 */
  readonly heads?: number;
  /** Hidden units of each feed-forward network. @defaultValue 4 times the width */
  readonly hidden?: number | undefined;
  /** Share dropped in training after embeddings, projections and hidden layers, in `[0, 0.99]`. @defaultValue 0 */
  readonly dropout?: number;
}

/** Defaults of {@link VitOptions}: ViT-B/16. */
export const VIT_DEFAULTS: Required<VitOptions> = Object.freeze({
  patch: 16,
  depth: 12,
  width: 768,
  heads: 12,
  hidden: undefined,
  dropout: 0,
});

/** Epsilon of the norms. */
const EPSILON = 1e-6;

/** Deviation at the start; the original cuts the normal distribution off where it has no mass left: at 100 deviations. */
const START = normalWeight(0.02);

/**
 * A vision transformer: patches and a class token, learned positions, pre-norm blocks, the class token's row classified.
 *
 * Names as in timm: `cls_token`, `pos_embed`, `patch_embed.proj`, `blocks.0.attn.qkv`, `head`. Starts as timm does: linear layers
 * and positions normal of deviation 0.02, biases 0, the class token near 0, the patches' projection as `torch.nn.Conv2d`.
 * @throws InputError if examples are not images, or patches do not tile them
 * @throws RangeError if an option is not allowed
 * @see Dosovitskiy et al., An image is worth 16x16 words, 2021
 */
export function vit(options: VitOptions, shape: NetworkShape): Network {
  const resolved = resolveNetwork("vit", { defaults: VIT_DEFAULTS, options, shape });
  const { patch, depth, width, heads, dropout: ratio } = resolved;
  const image = imageShape("vit", shape);
  assertDivides("vit", ["the image's height", image.height], ["patch", patch]);
  assertDivides("vit", ["the image's width", image.width], ["patch", patch]);
  assertDivides("vit", ["width", width], ["heads", heads]);
  const hidden = resolved.hidden ?? 4 * width;
  const network = new NetworkBuilder("vit");
  const tokens = embed(network, network.input("x", shape.exampleShape), { patch, width });
  const length = tokens.shape[1] ?? 0;
  let x = dropout(reshape(tokens, [-1, width]), ratio);
  for (let i = 0; i < depth; i++) {
    x = addBlock(network, x, `blocks.${i}`, { length, heads, hidden, ratio });
  }
  // The norm works on rows, so that of the class token is all that has to be normalised.
  const first = slice(reshape(x, [-1, length, width]), [{ axis: 1, begin: 0, end: 1 }]);
  const row = rowNorm(network, reshape(first, [-1, width]), "norm", EPSILON);
  const logits = linear(network, row, "head", { out: shape.classes, initializer: START });
  const canonical = { ...resolved, hidden: hidden === 4 * width ? undefined : hidden };
  return network.build(logits, formatSpec("vit", canonical, VIT_DEFAULTS));
}

/** Rows of patches behind a row for the class token, with positions: `[N, 1 + patches, width]`. */
function embed(
  network: NetworkBuilder,
  images: Value,
  { patch, width }: { readonly patch: number; readonly width: number },
): Value {
  const token = network.weight("cls_token", [1, 1, width], normal(1e-6));
  const [, , height = 0, across = 0] = images.shape;
  const patches = (height / patch) * (across / patch);
  const positions = network.weight("pos_embed", [1, patches + 1, width], normal(0.02));
  const projected = convolution(network, images, "patch_embed.proj", {
    out: width,
    side: patch,
    stride: patch,
    pad: 0,
    bias: true,
    initializer: TORCH_DEFAULT,
  });
  const rows = transpose(reshape(projected, [-1, width, patches]), [0, 2, 1]);
  // Rows of zeros and a sum put the token in front of any batch, without a shape that depends on the batch.
  const fixed = add(pad(token, [0, 0, 0], [0, patches, 0]), positions);
  return add(pad(rows, [0, 1, 0], [0, 0, 0]), fixed);
}

interface BlockShape {
  readonly length: number;
  readonly heads: number;
  readonly hidden: number;
  readonly ratio: number;
}

function addBlock(network: NetworkBuilder, x: Value, name: string, block: BlockShape): Value {
  const { hidden, ratio } = block;
  const width = x.shape[1] ?? 0;
  const attended = attend(network, rowNorm(network, x, `${name}.norm1`, EPSILON), `${name}.attn`, block);
  const middle = add(x, dropout(attended, ratio));
  const normalized = rowNorm(network, middle, `${name}.norm2`, EPSILON);
  const inner = gelu(linear(network, normalized, `${name}.mlp.fc1`, { out: hidden, initializer: START }));
  const result = linear(network, dropout(inner, ratio), `${name}.mlp.fc2`, {
    out: width,
    initializer: START,
  });
  return add(middle, dropout(result, ratio));
}

function attend(network: NetworkBuilder, x: Value, name: string, block: BlockShape): Value {
  const width = x.shape[1] ?? 0;
  const fused = linear(network, x, `${name}.qkv`, { out: 3 * width, initializer: START });
  const [queries, keys, values] = split(fused, 1, [width, width, width]) as [Value, Value, Value];
  const mixed = attention({
    queries: splitHeads(queries, block),
    keys: splitKeys(keys, block),
    values: splitHeads(values, block),
  });
  return linear(network, joinHeads(mixed), `${name}.proj`, { out: width, initializer: START });
}
