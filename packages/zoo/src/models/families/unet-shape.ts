import { at, FormatError, UnsupportedError } from "@isthmus/core";
import type { ModelConfig } from "../model-config.ts";

/** Layer between the residual blocks of a level: an attention, a transformer that reads texts, or none. */
export type BetweenBlocks = "attention" | "transformer" | "none";

/** One of the resolutions of a U-Net. */
export interface UnetLevel {
  /** Number of channels. */
  readonly channels: number;
  /** Layer behind each residual block on the way down. */
  readonly down: BetweenBlocks;
  /** Layer behind each residual block on the way up. */
  readonly up: BetweenBlocks;
  /** Number of residual blocks on the way down; on the way up there is one more. */
  readonly blocks: number;
  /** Number of attention heads. */
  readonly heads: number;
  /** Number of blocks of each transformer. */
  readonly depth: number;
}

/** Largest number of channels, or of attention heads. */
const MOST_CHANNELS = 2 ** 16;

/** Largest number of residual blocks of a level, or of blocks of a transformer. */
const MOST_BLOCKS = 128;

/** Largest number of levels: each halves the height and width. */
const MOST_LEVELS = 12;

/** Kinds of blocks by their names in configs, without `Down` or `Up`. */
const BLOCKS: Readonly<Record<string, BetweenBlocks>> = {
  Block2D: "none",
  AttnBlock2D: "attention",
  CrossAttnBlock2D: "transformer",
};

/** Reads the levels of a U-Net, from the highest resolution to the lowest one. */
export function readLevels(config: ModelConfig, hasText: boolean): readonly UnetLevel[] {
  const downs = config.texts("down_block_types");
  const ups = config.texts("up_block_types");
  const size = downs.length;
  if (size < 1 || size > MOST_LEVELS || ups.length !== size) {
    throw new FormatError(
      `Cannot read "${config.source}" as "down_block_types" and "up_block_types" must be lists of one length, from 1 to ${MOST_LEVELS}: they have ${size} and ${ups.length}`,
      { format: "config" },
    );
  }
  const channels = config.counts("block_out_channels", size, { most: MOST_CHANNELS });
  const blocks = config.counts("layers_per_block", size, { most: MOST_BLOCKS });
  const depths = config.counts("transformer_layers_per_block", size, { most: MOST_BLOCKS, fallback: 1 });
  const heads = readHeads(config, channels, hasText);
  return channels.map((count, i) => {
    config.assertDivides(["block_out_channels", count], ["norm_num_groups", groupsOf(config)]);
    config.assertDivides(["block_out_channels", count], ["attention_head_dim", at(heads, i, "level")]);
    return {
      channels: count,
      down: kindOf(config, at(downs, i, "level"), "Down"),
      up: kindOf(config, at(ups, size - 1 - i, "level"), "Up"),
      blocks: at(blocks, i, "level"),
      heads: at(heads, i, "level"),
      depth: at(depths, i, "level"),
    };
  });
}

/** Reads the number of groups of each group norm. */
export function groupsOf(config: ModelConfig): number {
  return config.count("norm_num_groups");
}

/**
 * Reads the number of heads of each level. The field `attention_head_dim` holds the extent of a head in
 * networks without a text, and in spite of its name the number of heads in the others.
 */
function readHeads(config: ModelConfig, channels: readonly number[], hasText: boolean): readonly number[] {
  const size = channels.length;
  if (hasText) return config.counts("attention_head_dim", size, { most: MOST_CHANNELS });
  const isWhole = config.value("attention_head_dim") === undefined;
  const extent = config.count("attention_head_dim", 1);
  return channels.map((count) => (isWhole ? 1 : Math.max(1, Math.floor(count / extent))));
}

function kindOf({ source }: ModelConfig, name: string, way: "Down" | "Up"): BetweenBlocks {
  const plain = name.replace(/^UNetRes/, "").replace(way, "");
  const kind = name.includes(way) && Object.hasOwn(BLOCKS, plain) ? BLOCKS[plain] : undefined;
  if (kind !== undefined) return kind;
  const blocks = Object.keys(BLOCKS).map((block) => block.replace("Block", `${way}Block`));
  throw new UnsupportedError(
    `Cannot build the network of "${source}" as its blocks must be ${blocks.join(", ")}: one is "${name}"`,
    { feature: name },
  );
}

/** Returns fields that give a U-Net the same structure with few groups of the same number of channels. */
export function narrowUnet(config: ModelConfig, hasText: boolean): Readonly<Record<string, unknown>> {
  const levels = readLevels(config, hasText);
  const groups = Math.min(groupsOf(config), 4);
  const channels = levels.map((level) => (level.channels / groupsOf(config)) * groups);
  const common = channels.reduce(greatestCommonDivisor);
  return {
    sample_size: smallSide(levels),
    norm_num_groups: groups,
    block_out_channels: channels,
    layers_per_block: Math.min(...levels.map(({ blocks }) => blocks), 2),
    transformer_layers_per_block: levels.map(({ depth }) => Math.min(depth, 2)),
    attention_head_dim: hasText
      ? levels.map(({ heads }, i) => greatestCommonDivisor(heads, at(channels, i, "level")))
      : config.value("attention_head_dim") && common,
    ...(config.has("time_embedding_dim") && {
      time_embedding_dim: Math.min(64, config.count("time_embedding_dim")),
    }),
  };
}

/**
 * Returns fields that give a U-Net of the same weights small images: all its layers apply to images of any
 * size.
 * @returns undefined if the images of the config are as small
 */
export function shrinkUnet(
  config: ModelConfig,
  hasText: boolean,
): Readonly<Record<string, unknown>> | undefined {
  const side = smallSide(readLevels(config, hasText));
  return config.extents("sample_size", 64).every((extent) => extent <= side)
    ? undefined
    : { sample_size: side };
}

/** Returns the side of the smallest images that are still more than one pixel wide at the lowest level. */
function smallSide({ length }: readonly UnetLevel[]): number {
  return 2 ** length;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
