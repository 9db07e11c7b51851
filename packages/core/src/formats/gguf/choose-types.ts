import { entry } from "../../invariant.ts";
import type { TensorInfo } from "../../tensor/tensor.ts";
import { categoryOf, chooseMixed, type MixedModel } from "./choose-mixed.ts";
import { describeEncoding, type GgufEncoding } from "./gguf-encodings.ts";
import { hasGgufMetadata } from "./gguf-metadata.ts";
import { GGUF_NUMBERS, ggufTypeOf } from "./gguf-types.ts";

/** Type that takes the place of one whose blocks do not divide the rows. */
const FALLBACKS: Readonly<Record<string, string>> = {
  IQ4_XS: "IQ4_NL",
  Q2_K: "Q4_0",
  Q3_K: "Q4_0",
  Q4_K: "Q5_0",
  Q5_K: "Q5_1",
  Q6_K: "Q8_0",
};

/** Parts of names of matrices that are not quantised: small ones, and ones that errors harm most. */
const KEPT: readonly string[] =
  "_norm.weight ffn_gate_inp.weight ffn_gate_tid2eid.weight altup laurel per_layer_model_proj ssm_conv1d shortconv.conv.weight indexer.k_proj.weight indexer.q_proj.weight time_mix_first.weight time_mix_w0.weight time_mix_w1.weight time_mix_w2.weight time_mix_v0.weight time_mix_v1.weight time_mix_v2.weight time_mix_a0.weight time_mix_a1.weight time_mix_a2.weight time_mix_g1.weight time_mix_g2.weight time_mix_decay_w1.weight time_mix_decay_w2.weight time_mix_lerp_fused.weight attn_rel_b.weight .position_embd sam.pos_embd sam.neck. sam.net_ .rel_pos .patch_embd .patch_merger a.rvq.codebook mm.a.code_embd".split(
    " ",
  );

/** Whole names of matrices that are not quantised: embeddings of positions and of kinds of tokens. */
const KEPT_NAMES: ReadonlySet<string> = new Set(["position_embd.weight", "token_types.weight"]);

/** Number of layers of the models of 70 billion parameters, by their architecture. */
const SEVENTY: Readonly<Record<string, number>> = { llama: 80, qwen2: 80, deci: 80, olmo: 80, jais2: 68 };

/** Type that a tensor gets in a quantised file. */
export interface ChosenType {
  /** Name of the type in a file, such as `Q4_K`. */
  readonly type: string;
  /** Type whose place it takes, as its blocks do not divide the rows; undefined for none. */
  readonly instead: string | undefined;
}

/** Model whose tensors get types. */
export interface ModelToQuantize {
  /** Tensors by name. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** Metadata of the file that is written. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Whether there is an importance matrix, with which some encodings choose otherwise. */
  readonly hasImportance: boolean;
}

/**
 * Chooses the type of each tensor of a quantised GGUF file as llama.cpp's `llama-quantize` does: embeddings,
 * the head, values and the ends of the feed-forward part of some layers get more bits than the rest.
 * Tensors that stay in floats have no entry: vectors, norms, routers, and other small ones. In
 * files without metadata of a model, whose names say nothing, all matrices get the main type.
 * @see https://github.com/ggml-org/llama.cpp/blob/master/src/llama-quant.cpp
 */
export function chooseTypes(model: ModelToQuantize, encoding: GgufEncoding): ReadonlyMap<string, ChosenType> {
  const main = describeEncoding(encoding).type;
  const isModel = hasGgufMetadata(model.metadata);
  const matrices = [...model.tensors].filter(([name, { shape }]) =>
    isModel ? matrixAxes(shape) >= 2 && isQuantized(name) : shape.length >= 2,
  );
  // Layers count in this order.
  const sorted = matrices.map(([name]) => name).sort(byLayer);
  const mixed = isModel ? chooseMixed(sorted, mixedModelOf(model), encoding) : undefined;
  const types = new Map<string, ChosenType>();
  for (const [name, { shape }] of matrices) {
    const columns = shape.at(-1) ?? 1;
    types.set(name, fit(typeOf(mixed?.get(name), main, columns), columns));
  }
  return types;
}

/** Returns the number of axes as GGUF counts them: leading axes of extent 1 do not count. */
function matrixAxes(shape: readonly number[]): number {
  const first = shape.findIndex((extent) => extent !== 1);
  return first < 0 ? 1 : shape.length - first;
}

function isQuantized(name: string): boolean {
  return name.endsWith("weight") && !KEPT_NAMES.has(name) && !KEPT.some((part) => name.includes(part));
}

/** Returns the type of a tensor; a head whose rows the blocks of the main type do not divide is of 8 bits. */
function typeOf(mixed: string | undefined, main: string, columns: number): string {
  if (mixed !== "head") return mixed ?? main;
  if (columns % blockOf(main) !== 0 || main === "Q8_0") return "Q8_0";
  return "Q6_K";
}

/** Returns a type whose blocks divide rows: the type itself, one of smaller blocks, or 16-bit floats. */
function fit(type: string, columns: number): ChosenType {
  if (columns % blockOf(type) === 0) return { type, instead: undefined };
  const smaller = FALLBACKS[type] ?? type;
  return { type: columns % blockOf(smaller) === 0 ? smaller : "F16", instead: type };
}

function blockOf(type: string): number {
  return ggufTypeOf(entry(GGUF_NUMBERS, type, "type")).blockElements;
}

/** Orders names as llama.cpp does: tensors without a layer, then layers by number; by name within. */
function byLayer(a: string, b: string): number {
  const difference = layerOf(a) - layerOf(b);
  if (difference !== 0) return difference;
  return a < b ? -1 : 1;
}

function layerOf(name: string): number {
  const [, digits] = /^blk\.(\d+)\./.exec(name) ?? [];
  return digits === undefined ? -1 : Number(digits);
}

function mixedModelOf({ tensors, metadata, hasImportance }: ModelToQuantize): MixedModel {
  const { "general.architecture": architecture = "" } = metadata;
  const number = (key: string, otherwise: number): number => {
    // Some models have a value for each layer.
    const { [`${architecture}.${key}`]: text = "" } = metadata;
    const [digits] = /-?\d+/.exec(text) ?? [];
    return digits === undefined ? otherwise : Number(digits);
  };
  const heads = number("attention.head_count", 0);
  const keyHeads = number("attention.head_count_kv", heads);
  const layers = number("block_count", 0);
  return {
    architecture,
    layers,
    experts: number("expert_count", 0),
    queriesPerKey: keyHeads > 0 ? Math.floor(heads / keyHeads) : 0,
    hasHead: [...tensors.keys()].some((name) => categoryOf(name) === "output"),
    isSeventy: SEVENTY[architecture] === layers && (architecture !== "llama" || heads !== keyHeads),
    hasImportance,
  };
}
