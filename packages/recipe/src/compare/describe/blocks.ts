import { at } from "@isthmus/core";
import type { ComparisonResult } from "../comparison-result.ts";

/** A pair of a comparison, whose tensors are grouped in blocks. */
type ComparedPair = ComparisonResult["pairs"][number];

/** The distances of the tensors of one block of two networks. */
export interface BlockDistances {
  /** Number of tensors with a distance. */
  readonly tensors: number;
  /** Median of these distances, in units of the geometric mean of both norms. */
  readonly median: number;
  /** Smallest of these distances. */
  readonly low: number;
  /** Largest of these distances. */
  readonly high: number;
}

/** Names of tensors at the beginning or the end of a network, in whatever order files list them. */
const FIRST = /embed|^(transformer\.)?w[tp]e\b/i;
const LAST = /(^|\.)(lm_head|head|classifier|cls|score)\b/i;

/**
 * Returns the block that a tensor belongs to: its name up to the first number, as in `layers.3`. A name
 * without a number belongs to its module: `conv1.weight` to `conv1`.
 */
export function blockOf(name: string): string {
  const parts = name.split(".");
  const number = parts.findIndex((part) => /^\d+$/.test(part));
  if (number >= 0) return parts.slice(0, number + 1).join(".");
  return parts.length === 1 ? name : parts.slice(0, -1).join(".");
}

/**
 * Lists the blocks of tensors from the input to the output, as far as names tell: files sort layer 10 before
 * layer 2, and a head before the layers.
 */
export function listBlocks(names: readonly string[]): string[] {
  const blocks = [...new Set(names.map(blockOf))];
  const runs = new Map<string, string[]>();
  for (const block of blocks) {
    const run = block.replace(/\d+$/, "#");
    const members = runs.get(run);
    if (members === undefined) runs.set(run, [block]);
    else members.push(block);
  }
  // Blocks without a number stand alone in their run.
  const numberOf = (block: string) => Number(block.slice(block.search(/\d*$/)));
  const ordered = [...runs.values()].flatMap((run) => run.toSorted((x, y) => numberOf(x) - numberOf(y)));
  const placeOf = (block: string) => (FIRST.test(block) ? 0 : LAST.test(block) ? 2 : 1);
  return ordered.toSorted((x, y) => placeOf(x) - placeOf(y));
}

/**
 * Returns blocks without the modules around all numbered ones: `layers.3` of `model.layers.3`, and `norm` of
 * `model.norm`. All names stay whole if two short names would be equal.
 */
export function shortenBlocks(blocks: readonly string[]): string[] {
  // The name of the numbered module is kept, as in "layers.3", because a number alone is unclear.
  const around = blocks.filter((block) => /\.\d+$/.test(block)).map((block) => block.split(".").slice(0, -2));
  if (around.length === 0) return [...blocks];
  const first = at(around, 0, "block");
  const length = first.findIndex((part, depth) => around.some((parts) => parts[depth] !== part));
  const common = first.slice(0, length < 0 ? first.length : length);
  const prefix = common.map((part) => `${part}.`).join("");
  const short = blocks.map((block) => (block.startsWith(prefix) ? block.slice(prefix.length) : block));
  return new Set(short).size === blocks.length ? short : [...blocks];
}

/**
 * Measures the median and the range of the distances of each block's tensors, by the name of the block; a
 * block without a distance is left out.
 */
export function measureBlocks({ tensors }: ComparedPair): Map<string, BlockDistances> {
  const distances = new Map<string, number[]>();
  for (const { name, distance } of tensors) {
    if (distance === null || !Number.isFinite(distance)) continue;
    const block = blockOf(name);
    const members = distances.get(block);
    if (members === undefined) distances.set(block, [distance]);
    else members.push(distance);
  }
  return new Map([...distances].map(([block, members]) => [block, summarize(members)]));
}

function summarize(distances: readonly number[]): BlockDistances {
  const sorted = distances.toSorted((x, y) => x - y);
  const [low = Number.NaN, high = Number.NaN] = [sorted[0], sorted.at(-1)];
  const half = (sorted.length - 1) / 2;
  const middle = [sorted[Math.floor(half)], sorted[Math.ceil(half)]];
  const median = middle.reduce<number>((sum, value) => sum + (value ?? Number.NaN) / 2, 0);
  return { tensors: sorted.length, median, low, high };
}
