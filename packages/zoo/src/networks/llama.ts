import { gather, reshape, silu } from "@isthmus/graph/builder";
import { normal } from "../initializer.ts";
import { causalMask } from "../layers/attention.ts";
import { type LlamaBlock, llamaBlock } from "../layers/llama-block.ts";
import { rotaryFrequencies, rotaryTables } from "../layers/rotary.ts";
import { rootMeanSquareNorm } from "../layers/row-norm.ts";
import { tokenLogits } from "../layers/token-logits.ts";
import type { Network, NetworkShape } from "../network.ts";
import { NetworkBuilder } from "../network-builder.ts";
import { assertDivides, resolveNetwork } from "../resolve-network.ts";
import { formatSpec } from "../short-string/format-spec.ts";
import { tokenLength } from "../token-shape.ts";

/** Options of {@link llama}. */
export interface LlamaOptions {
  /** Number of blocks. @defaultValue 22 */
  readonly depth?: number;
  /** Width of the residual stream. @defaultValue 2048 */
  readonly width?: number;
  /** Number of heads of queries; divides the width into even parts. @defaultValue 32 */
  readonly heads?: number;
  /**
   * Number of heads of keys and values; divides the heads of queries. @defaultValue the number of heads of
   * queries
   */
  readonly groups?: number | undefined;
  /**
   * Number of tokens of an example. @defaultValue the length of the examples for which the network is built
   */
  readonly context?: number | undefined;
  /**
   * Number of hidden units of each feed-forward network. @defaultValue 8 / 3 of the width, rounded up to a
   * multiple of 256, or of 16 if the width is below 1024
   */
  readonly hidden?: number | undefined;
  /** Whether the embedding is also the head. @defaultValue false */
  readonly tied?: boolean;
  /** Base of the wavelengths of rotary positions. @defaultValue 10000 */
  readonly rotaryBase?: number;
}

/** Defaults of {@link LlamaOptions}: the size of TinyLlama, except for its 4 groups. */
export const LLAMA_DEFAULTS: Required<LlamaOptions> = Object.freeze({
  depth: 22,
  width: 2048,
  heads: 32,
  groups: undefined,
  context: undefined,
  hidden: undefined,
  tied: false,
  rotaryBase: 10_000,
});

/** Epsilon of the norms. */
const EPSILON = 1e-5;

/** Initial standard deviation of weights. */
const DEVIATION = 0.02;

/**
 * Builds a Llama: root-mean-square norms before attention and feed-forward network, rotary positions, queries
 * that share keys and values in groups, SwiGLU; no biases.
 *
 * Names are as in its published checkpoints: `model.embed_tokens.weight`,
 * `model.layers.0.self_attn.q_proj.weight`, `lm_head.weight`; as there, the dimensions of a rotary pair are
 * half a head apart. All initial weights except norms are normal of deviation 0.02.
 * @throws InputError if examples are not rows of tokens as long as the context
 * @throws OutOfRangeError if an option is not allowed
 * @see Touvron et al., LLaMA: open and efficient foundation language models, 2023, section 2.2
 */
export function llama(options: LlamaOptions, shape: NetworkShape): Network {
  const resolved = resolveNetwork("llama", { defaults: LLAMA_DEFAULTS, options, shape });
  const { depth, width, heads, tied } = resolved;
  const length = tokenLength("llama", shape, resolved.context);
  const groups = resolved.groups ?? heads;
  assertDivides("llama", ["width", width], ["twice the heads", 2 * heads]);
  assertDivides("llama", ["heads", heads], ["groups", groups]);
  const hidden = resolved.hidden ?? usualHidden(width);
  const network = new NetworkBuilder("llama");
  const ids = network.input("ids", shape.exampleShape, "i64");
  const embedding = network.weight("model.embed_tokens.weight", [shape.classes, width], normal(DEVIATION));
  const inner = width / heads;
  const block: LlamaBlock = {
    length,
    heads,
    groups,
    inner,
    hidden,
    norm: { epsilon: EPSILON },
    biases: { query: false, output: false, hidden: false },
    activation: silu,
    rotary: rotaryTables(network, length, rotaryFrequencies(inner, resolved.rotaryBase)),
    mask: network.graph.numbers(causalMask(length), "f32", [length, length]),
  };
  let x = reshape(gather(embedding, ids), [-1, width]);
  for (let i = 0; i < depth; i++) x = llamaBlock(network, x, `model.layers.${i}`, block);
  const final = rootMeanSquareNorm(network, x, "model.norm", block.norm);
  const head = tied ? embedding : network.weight("lm_head.weight", [shape.classes, width], normal(DEVIATION));
  const logits = tokenLogits(final, head, length);
  const canonical = {
    ...resolved,
    context: length,
    groups: groups === heads ? undefined : groups,
    hidden: hidden === usualHidden(width) ? undefined : hidden,
  };
  return network.build(logits, formatSpec("llama", canonical, LLAMA_DEFAULTS));
}

function usualHidden(width: number): number {
  const multiple = width < 1024 ? 16 : 256;
  return Math.ceil((8 * width) / 3 / multiple) * multiple;
}
