import { add, gather, gemm, mul, reshape, silu, type Value } from "@isthmus/graph/builder";
import { normal, normalWeight } from "../initializer.ts";
import { causalMask } from "../layers/attention.ts";
import { groupedAttention } from "../layers/grouped-attention.ts";
import { linear } from "../layers/linear.ts";
import { type RotaryTables, rotaryFrequencies, rotaryTables, rotate } from "../layers/rotary.ts";
import { rootMeanSquareNorm } from "../layers/row-norm.ts";
import type { Network, NetworkShape } from "../network.ts";
import { NetworkBuilder } from "../network-builder.ts";
import { assertDivides, resolveNetwork } from "../resolve-network.ts";
import { formatSpec } from "../short-string/format-spec.ts";
import { tokenLength } from "../token-shape.ts";

/** Options of {@link llama}. */
export interface LlamaOptions {
  /** Blocks. @defaultValue 22 */
  readonly depth?: number;
  /** Width of the residual stream. @defaultValue 2048 */
  readonly width?: number;
  /** Heads of queries; divides the width into even parts. @defaultValue 32 */
  readonly heads?: number;
  /** Heads of keys and values; divides the heads of queries. @defaultValue as many as heads of queries */
  readonly groups?: number | undefined;
  /** Tokens of an example. @defaultValue those of the examples it is built for */
  readonly context?: number | undefined;
  /**
   * Hidden units of each feed-forward network. @defaultValue 8 / 3 of the width, rounded up to a multiple of 256, below a width of
   * 1024 of 16
   */
  readonly hidden?: number | undefined;
  /** Whether the embedding is also the head. @defaultValue false */
  readonly tied?: boolean;
  /** Base of the wavelengths of rotary positions. @defaultValue 10000 */
  readonly rotaryBase?: number;
}

/** Defaults of {@link LlamaOptions}: the size of TinyLlama, which has 4 groups. */
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

/** Deviation at the start. */
const DEVIATION = 0.02;

const START = normalWeight(DEVIATION);

/**
 * A Llama: root-mean-square norms before attention and feed-forward network, rotary positions, queries that share keys and values
 * in groups, SwiGLU; no biases.
 *
 * Names as in its published checkpoints: `model.embed_tokens.weight`, `model.layers.0.self_attn.q_proj.weight`, `lm_head.weight`;
 * rotary pairs are half a head apart, as there. All weights start normal of deviation 0.02.
 * @throws InputError if examples are not rows of tokens as long as the context
 * @throws RangeError if an option is not allowed
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
  const block = {
    length,
    heads,
    groups,
    hidden,
    rotary: rotaryTables(network, length, rotaryFrequencies(width / heads, resolved.rotaryBase)),
    mask: network.graph.numbers(causalMask(length), "f32", [length, length]),
  };
  let x = reshape(gather(embedding, ids), [-1, width]);
  for (let i = 0; i < depth; i++) x = addBlock(network, x, `model.layers.${i}`, block);
  const final = rootMeanSquareNorm(network, x, "model.norm", EPSILON);
  const head = tied ? embedding : network.weight("lm_head.weight", [shape.classes, width], normal(DEVIATION));
  const logits = reshape(gemm(final, head, { transB: true }), [-1, length, shape.classes]);
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

interface BlockShape {
  readonly length: number;
  readonly heads: number;
  readonly groups: number;
  readonly hidden: number;
  readonly rotary: RotaryTables;
  readonly mask: Value;
}

function addBlock(network: NetworkBuilder, x: Value, name: string, block: BlockShape): Value {
  const width = x.shape[1] ?? 0;
  const project = (rows: Value, layer: string, out: number) =>
    linear(network, rows, `${name}.${layer}`, { out, initializer: START, bias: false });
  const normalized = rootMeanSquareNorm(network, x, `${name}.input_layernorm`, EPSILON);
  const attended = attend((layer, out) => project(normalized, `self_attn.${layer}`, out), width, block);
  const middle = add(x, project(attended, "self_attn.o_proj", width));
  const rows = rootMeanSquareNorm(network, middle, `${name}.post_attention_layernorm`, EPSILON);
  const gate = silu(project(rows, "mlp.gate_proj", block.hidden));
  const gated = mul(gate, project(rows, "mlp.up_proj", block.hidden));
  return add(middle, project(gated, "mlp.down_proj", width));
}

/** Attention with rotary positions; queries, keys and values of their own projections. */
function attend(
  project: (layer: string, out: number) => Value,
  width: number,
  { length, heads, groups, rotary, mask }: BlockShape,
): Value {
  const inner = width / heads;
  const tokens = (layer: string, count: number) =>
    reshape(project(layer, count * inner), [-1, length, count, inner]);
  return groupedAttention({
    queries: rotate(tokens("q_proj", heads), rotary),
    keys: rotate(tokens("k_proj", groups), rotary),
    values: tokens("v_proj", groups),
    mask,
  });
}
