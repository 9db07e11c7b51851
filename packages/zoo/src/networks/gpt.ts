import { add, dropout, gather, gelu, reshape } from "@isthmus/graph/builder";
import { normal, normalWeight } from "../initializer.ts";
import { causalMask } from "../layers/attention.ts";
import { type GptBlock, gptBlock } from "../layers/gpt-block.ts";
import { rowNorm } from "../layers/row-norm.ts";
import { tokenLogits } from "../layers/token-logits.ts";
import type { Network, NetworkShape } from "../network.ts";
import { NetworkBuilder } from "../network-builder.ts";
import { assertDivides, resolveNetwork } from "../resolve-network.ts";
import { formatSpec } from "../short-string/format-spec.ts";
import { tokenLength } from "../token-shape.ts";

/** Options of {@link gpt}. */
export interface GptOptions {
  /** Number of blocks. @defaultValue 12 */
  readonly depth?: number;
  /** Width of the residual stream. @defaultValue 768 */
  readonly width?: number;
  /** Number of heads of each attention; divides the width. @defaultValue 12 */
  readonly heads?: number;
  /**
   * Number of tokens of an example. @defaultValue the length of the examples for which the network is built
   */
  readonly context?: number | undefined;
  /** Number of hidden units of each feed-forward network. @defaultValue 4 times the width */
  readonly hidden?: number | undefined;
  /** Whether the embedding is also the head. @defaultValue true */
  readonly tied?: boolean;
  /**
   * Dropout rate in training of embeddings, attention weights and the outputs that blocks add to the stream,
   * in `[0, 0.99]`; 0.1 in the original. @defaultValue 0
   */
  readonly dropout?: number;
}

/** Defaults of {@link GptOptions}: the small GPT-2. */
export const GPT_DEFAULTS: Required<GptOptions> = Object.freeze({
  depth: 12,
  width: 768,
  heads: 12,
  context: undefined,
  hidden: undefined,
  tied: true,
  dropout: 0,
});

/** Epsilon of the norms. */
const EPSILON = 1e-5;

/** Initial standard deviation of weights. */
const DEVIATION = 0.02;

/**
 * Builds a GPT-2: learned positions, pre-norm blocks, causal attention, approximate gelu.
 *
 * Names and layouts are as in its published checkpoints (`wte.weight`, `h.0.attn.c_attn.weight` `[in, out]`,
 * `ln_f`), so that these checkpoints can be fed; a separate head is `lm_head.weight` `[vocabulary, width]`.
 * Weights are initialized as in the original: biases 0 and weights normal, of deviation 0.02 or, in layers
 * that add to the residual stream, 0.02 over the square root of twice the depth.
 * @throws InputError if examples are not rows of tokens as long as the context
 * @throws OutOfRangeError if an option is not allowed
 * @see Radford et al., Language models are unsupervised multitask learners, 2019, section 2.3
 */
export function gpt(options: GptOptions, shape: NetworkShape): Network {
  const resolved = resolveNetwork("gpt", { defaults: GPT_DEFAULTS, options, shape });
  const { depth, width, heads, tied, dropout: ratio } = resolved;
  const length = tokenLength("gpt", shape, resolved.context);
  assertDivides("gpt", ["width", width], ["heads", heads]);
  const hidden = resolved.hidden ?? 4 * width;
  const network = new NetworkBuilder("gpt");
  const ids = network.input("ids", shape.exampleShape, "i64");
  const embedding = network.weight("wte.weight", [shape.classes, width], normal(DEVIATION));
  const positions = network.weight("wpe.weight", [length, width], normal(DEVIATION));
  const block: GptBlock = {
    length,
    heads,
    hidden,
    epsilon: EPSILON,
    activation: (x) => gelu(x, { approximate: true }),
    mask: network.graph.numbers(causalMask(length), "f32", [length, length]),
    // Each block adds to the stream twice: the variance of the stream must not grow with depth.
    streamInitializer: normalWeight(DEVIATION / Math.sqrt(2 * depth)),
    dropout: ratio,
  };
  let x = dropout(reshape(add(gather(embedding, ids), positions), [-1, width]), ratio);
  for (let i = 0; i < depth; i++) x = gptBlock(network, x, `h.${i}`, block);
  const final = rowNorm(network, x, "ln_f", EPSILON);
  const head = tied ? embedding : network.weight("lm_head.weight", [shape.classes, width], normal(DEVIATION));
  const logits = tokenLogits(final, head, length);
  const canonical = { ...resolved, context: length, hidden: hidden === 4 * width ? undefined : hidden };
  return network.build(logits, formatSpec("gpt", canonical, GPT_DEFAULTS));
}
