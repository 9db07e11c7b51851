import {
  entry,
  formatShape,
  isReadAsNumbers,
  MismatchError,
  OutOfRangeError,
  resolveOptions,
  sameShape,
  type TensorInfo,
  UnsupportedError,
} from "@isthmus/core";
import { PAIRS } from "@isthmus/data";
import { type Graph, type LossesOfOutputs, restrictOutputs, scoreBy, scoreOutput } from "@isthmus/graph";
import type { Network } from "../network.ts";
import { NetworkBuilder } from "../network-builder.ts";
import { CONFIG_DEFAULTS } from "./config-defaults.ts";
import { assertUnderstood } from "./function-fields.ts";
import { ModelConfig } from "./model-config.ts";
import { MODEL_FAMILIES } from "./model-families.ts";
import type { FamilyObjective, StreamTensor, TiedHead } from "./model-family.ts";
import { MODEL_TYPES, type ModelType } from "./model-types.ts";

/** Options of {@link networkOfConfig}. */
export interface ConfigNetworkOptions {
  /**
   * Tensors of the checkpoint: they determine prefixes and heads, and the network is checked against them.
   * @defaultValue none: the network is the one of the family's class for language modelling or classification
   */
  readonly tensors?: ReadonlyMap<string, TensorInfo> | undefined;
  /** Number of tokens of an example; images have the size that the config states. @defaultValue 8 */
  readonly length?: number;
  /**
   * Number of pairs of an image and a text in an example of a network that tells which belong together.
   * @defaultValue 8
   */
  readonly pairs?: number;
  /** File from which the config was read, for errors. @defaultValue "config.json" */
  readonly source?: string;
}

/** Defaults of {@link ConfigNetworkOptions}. */
const CONFIG_NETWORK_DEFAULTS: Required<ConfigNetworkOptions> = Object.freeze({
  tensors: undefined,
  length: 8,
  pairs: PAIRS,
  source: "config.json",
});

/** A network built from a config. */
export interface ConfigNetwork extends Pick<Network, "graph" | "parameters" | "initialize"> {
  /** Type of the model, as the config names it in `model_type`. */
  readonly modelType: ModelType;
  /**
   * Builds this network with smaller extents: two blocks, few heads, few words. Its symmetries follow from
   * the same rules as the symmetries of the full network, so they can be proved by running this network if
   * the full one does not fit in memory.
   */
  readonly narrow: () => ConfigNetwork;
  /**
   * Builds this network, with the same weights, for smaller examples, such as images of fewer pixels; absent
   * if examples are small already, or their extents follow from the weights.
   */
  readonly shrink?: () => ConfigNetwork;
  /**
   * Builds this network for examples of another number of tokens, and of pairs.
   * @throws OutOfRangeError if the length is not a whole number of
   * at least 1, or exceeds the network's table of positions
   */
  readonly ofLength: (length: number, pairs?: number) => ConfigNetwork;
  /**
   * Maximum number of tokens of an example for which the network has positions; absent if the config does not
   * state it.
   */
  readonly maxLength?: number;
  /** Number of token ids; absent if the network reads no tokens. */
  readonly vocabularySize?: number;
  /** Tokens of a text that the network predicts; absent if it predicts each from those before it. */
  readonly predicts?: FamilyObjective;
  /**
   * Pattern of names of tensors that belong to the model's tower of images, not to this network; absent if
   * the network is the whole model.
   */
  readonly otherParts?: RegExp;
  /** Embedding that is also the head; absent if the head is separate. */
  readonly tiedHead?: TiedHead;
}

/**
 * Builds the network that a `config.json` of Hugging Face form describes, with the same names of weights as
 * in its checkpoints, so that no weights have to be renamed.
 *
 * Its graph is built for a few tokens; that is enough to find its symmetries, which hold for any number of
 * tokens. It contains types, so that its symmetries are discovered without a run. Inputs are `ids`, `[N,
 * length]`, for BERT and RoBERTa also `token_type_ids`, and for T5 `decoder_input_ids`; or images `x`.
 * Outputs are `logits`, or `hidden` states if the checkpoint has no head, and further results of its heads;
 * of two towers `logits_per_image` and `logits_per_text`, and embeddings that do not count as the function.
 *
 * | `model_type` | supported features |
 * |---|---|
 * | `llama`, `mistral` | grouped queries, heads of any width, biases, windows, scaled rotary positions |
 * | `mixtral` | all experts are computed; the results of unused ones are multiplied by 0 |
 * | `qwen2`, `qwen3` | biases on queries, keys and values; norms of heads |
 * | `qwen2_moe`, `qwen3_moe` | a mixture of experts in some or all layers; a shared expert with a gate |
 * | `gemma`, `gemma2`, `gemma3_text` | norms of outputs, bounded scores and logits, two rotations |
 * | `phi`, `phi3` | versions 1 to 4: parallel blocks, fused projections, partial rotary positions |
 * | `granite` | factors of embeddings, scores, logits and summands of the stream |
 * | `olmo2` | norms of outputs alone, and of all queries and all keys together |
 * | `stablelm`, `starcoder2` | layer norms, partial rotary positions, norms of heads; units without gates |
 * | `cohere`, `cohere2` | parallel blocks, rotation of neighbours, layers without positions |
 * | `falcon` | both architectures, one or more heads of keys, blocks parallel or not; no ALiBi |
 * | `deepseek` | shared experts beside a mixture of experts |
 * | `deepseek_v2`, `deepseek_v3` | keys and values from short rows, shared experts, experts in groups |
 * | `mamba`, `mamba2` | recurrences of tokens, at any length |
 * | `gemma3`, `qwen2_vl`, `qwen2_5_vl`, `qwen3_vl` | the network of texts; towers of images are left out |
 * | `gpt2`, `gpt_neox` | with or without the prefix; partial rotary positions, residuals parallel or not |
 * | `bert`, `roberta`, `xlm-roberta`, `distilbert` | heads for words, texts, tokens or answers |
 * | `modernbert` | global and local layers with two rotations; heads for words, texts or tokens |
 * | `t5` | plain or gated, with a separate head or the embedding as head, or only the encoder |
 * | `whisper` | encoder of `input_features`, decoder of `decoder_input_ids` |
 * | `clip`, `siglip` | both towers: pairs of `pixel_values` and `input_ids`, compared with each other |
 * | `clip_text_model`, `clip_vision_model` | a tower, with its projection or without |
 * | `siglip_text_model`, `siglip_vision_model` | a tower, with its head or without |
 * | `vit` | with a classifier or a pooler |
 * | `UNet2DModel` | a U-Net of diffusers, with or without attentions and classes |
 * | `UNet2DConditionModel` | Stable Diffusion 1, 2 and XL: transformers that read texts |
 *
 * Decoders may classify (`score`); embeddings may be the head. Rotary positions may be scaled by `linear`,
 * `dynamic`, `llama3`, `longrope` or `yarn`. Fields of the config that change the function of networks are
 * refused by name unless the family reads them. Fields that are missing have the values that config classes
 * of transformers and diffusers give them; extents without such a value are required.
 *
 * @param config - the object in the file
 * @throws FormatError if a field is missing or has a wrong value
 * @throws UnsupportedError if the model's type, or something in its config, is not supported; the message
 *   lists supported values
 * @throws MismatchError if the tensors are not exactly the weights of the network
 * @throws OutOfRangeError if `length` is not a whole number of
 * at least 1, or exceeds the network's table of positions
 */
export function networkOfConfig(config: unknown, options: ConfigNetworkOptions = {}): ConfigNetwork {
  const { tensors, length, pairs, source } = resolveOptions(
    "build the network of a config",
    CONFIG_NETWORK_DEFAULTS,
    options,
  );
  const fields = new ModelConfig(config, source);
  const modelType = modelTypeOf(fields);
  const stated = textConfig(fields, modelType).withDefaults(CONFIG_DEFAULTS[modelType]);
  const network = create(modelType, { config: stated, length, pairs, tensors });
  if (tensors !== undefined) {
    assertTensorsFit(network.graph, tensors, { source, idle: MODEL_FAMILIES[modelType].idle });
  }
  return network;
}

function modelTypeOf(config: ModelConfig): ModelType {
  const name = config.text("model_type", config.text("_class_name", ""));
  const modelType = MODEL_TYPES.find((type) => type === name);
  if (modelType === undefined) {
    throw new UnsupportedError(
      `Cannot build the network of "${config.source}" as "model_type" must be one of ${MODEL_TYPES.join(", ")}: ${name === "" ? "it is missing" : `it is "${name}"`}; for others export an ONNX graph`,
      { feature: name },
    );
  }
  if (!config.has("quantization_config") || isReadAsNumbers(config.value("quantization_config")))
    return modelType;
  throw new UnsupportedError(
    `Cannot build the network of "${config.source}" as its weights must be floating-point numbers: it has a "quantization_config"`,
    { feature: "quantization_config" },
  );
}

interface CreateOptions {
  readonly config: ModelConfig;
  readonly length: number;
  readonly pairs: number;
  readonly tensors: ReadonlyMap<string, TensorInfo> | undefined;
}

/**
 * Returns the config of the network of texts: of models that see images, the object `text_config`, or in
 * older files the config itself.
 */
function textConfig(config: ModelConfig, modelType: ModelType): ModelConfig {
  const { withImages } = MODEL_FAMILIES[modelType];
  if (withImages === undefined) return config;
  const text = config.object("text_config") ?? config;
  const tied = config.has("tie_word_embeddings")
    ? { tie_word_embeddings: config.boolean("tie_word_embeddings") }
    : {};
  return text.with(tied);
}

/** Finds the tensors by which images enter the stream of a network, which may be narrowed. */
function streamTensorsOf(modelType: ModelType, { config, tensors }: CreateOptions): readonly StreamTensor[] {
  const entries = MODEL_FAMILIES[modelType].withImages?.entries ?? [];
  const entered: StreamTensor[] = [];
  for (const [name, { shape }] of tensors ?? []) {
    const axis = entries.find(([pattern]) => pattern.test(name))?.[1];
    if (axis === undefined || shape.length > 2) continue;
    entered.push({ name, shape: shape.with(axis, config.count("hidden_size")), axis });
  }
  return entered;
}

/** Names of fields with the number of tokens that a model was trained for. */
const LENGTHS: readonly string[] = ["n_positions", "max_position_embeddings"];

function maxLengthOf(config: ModelConfig): number | undefined {
  const field = LENGTHS.find((name) => config.has(name));
  return field === undefined ? undefined : config.count(field);
}

function create(modelType: ModelType, options: CreateOptions): ConfigNetwork {
  const { config, length, pairs, tensors } = options;
  assertCount(config, "length of examples", length);
  assertCount(config, "number of pairs", pairs);
  const family = MODEL_FAMILIES[modelType];
  const network = new NetworkBuilder(modelType);
  let tiedHead: TiedHead | undefined;
  const onTied = (tied: TiedHead) => {
    tiedHead = tied;
  };
  const has = tensors === undefined ? undefined : (name: string) => tensors.has(name);
  const streamTensors = streamTensorsOf(modelType, options);
  const outputs = family.build({ network, config, length, pairs, has, streamTensors, onTied });
  assertUnderstood(config);
  const maxLength = (family.maxLength ?? maxLengthOf)(config);
  const built = network.buildTyped(outputs, modelType);
  const smaller = family.shrink?.(config);
  const counted = Object.keys(outputs).filter((name) => !family.uncounted?.includes(name));
  return Object.freeze({
    ...built,
    graph: scored(restrictOutputs(built.graph, counted), family.loss?.(pairs)),
    modelType,
    narrow: () => create(modelType, { ...options, config: config.with(family.narrow(config)) }),
    ...(smaller === undefined
      ? {}
      : { shrink: () => create(modelType, { ...options, config: config.with(smaller) }) }),
    ofLength: (other: number, otherPairs = pairs) =>
      create(modelType, { ...options, length: other, pairs: otherPairs }),
    ...(maxLength === undefined ? {} : { maxLength }),
    ...(config.has("vocab_size") ? { vocabularySize: config.count("vocab_size") } : {}),
    ...(family.predicts === undefined ? {} : { predicts: family.predicts(config) }),
    ...(family.withImages === undefined ? {} : { otherParts: family.idle }),
    ...(tiedHead === undefined ? {} : { tiedHead }),
  });
}

/** Sets the losses of outputs, the last of which is also the one that is scored if only one can be. */
function scored(graph: Graph, loss: LossesOfOutputs | undefined): Graph {
  return loss === undefined ? graph : scoreOutput(scoreBy(graph, loss), Object.keys(loss).at(-1) ?? "");
}

/** Checks a count. @throws OutOfRangeError if it is not a whole number of at least 1 */
function assertCount({ source }: ModelConfig, what: string, value: number): void {
  if (Number.isSafeInteger(value) && value >= 1) return;
  throw new OutOfRangeError(
    `Cannot build the network of "${source}" as the ${what} must be a whole number of at least 1: got ${value}`,
  );
}

/** Number of names of a long list that a message shows; the others are counted. */
const SHOWN = 5;

/**
 * Checks that a checkpoint holds exactly the weights of a network, as an unknown tensor would not be permuted
 * with the others.
 * @param idle - names of tensors that the network does not need
 * @throws MismatchError if weights are missing or have another shape, or a tensor is not a weight
 */
function assertTensorsFit(
  graph: Graph,
  tensors: ReadonlyMap<string, TensorInfo>,
  { source, idle }: { readonly source: string; readonly idle: RegExp },
): void {
  const missing = [...graph.weights.keys()].filter((name) => !tensors.has(name));
  if (missing.length > 0) {
    throw misfit(
      source,
      `the checkpoint must hold all weights of its network: it lacks ${list(missing)}`,
      missing,
    );
  }
  for (const [name, { shape }] of graph.weights) {
    const stored = entry(tensors, name, "tensor");
    if (sameShape(stored.shape, shape)) continue;
    const shapes = `it makes "${name}" ${formatShape(shape)}, the checkpoint holds ${formatShape(stored.shape)}`;
    throw misfit(source, `shapes must be equal: ${shapes}`, [name]);
  }
  const foreign = [...tensors.keys()].filter((name) => !graph.weights.has(name) && !idle.test(name));
  if (foreign.length > 0) {
    const rule = "the network must know all tensors of the checkpoint";
    throw misfit(
      source,
      `${rule}: it knows no ${list(foreign)}; check the config, or export an ONNX graph`,
      foreign,
    );
  }
}

function list(names: readonly string[]): string {
  const shown = names.slice(0, SHOWN).map((name) => `"${name}"`);
  if (names.length > SHOWN) shown.push(`${names.length - SHOWN} more`);
  return shown.join(", ");
}

function misfit(source: string, why: string, parameters: readonly string[]): MismatchError {
  return new MismatchError(`Cannot use "${source}" as ${why}`, { parameters });
}
