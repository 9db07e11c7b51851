import { closestName, entry } from "@isthmus/core";
import {
  BLOCK_ARCHITECTURES,
  type BlockArchitecture,
  listBlocks,
  listNamedBlocks,
} from "../diffusion/diffusion-blocks.ts";
import type { Path, Problem } from "../recipe/problem.ts";
import type { BlockSetting, Scalar } from "../recipe/recipe.ts";

/** Value of one block, and its path in the recipe. */
export interface BlockValue {
  /** Name of the block. */
  readonly name: string;
  /** Value of the tensors in the block. */
  readonly value: Scalar;
  /** Path of the value. */
  readonly path: Path;
}

/** Values by blocks, narrow blocks before wide ones that contain them, or problems of the values. */
type ReadBlockValues =
  | { readonly values: readonly BlockValue[]; readonly problems?: undefined }
  | { readonly problems: readonly Problem[]; readonly values?: undefined };

/** Reads values by blocks, which are a list, a text with commas, or values by the names of blocks. */
export function readBlockValues({ blocks, value }: BlockSetting, path: Path): ReadBlockValues {
  const architecture = BLOCK_ARCHITECTURES.get(blocks);
  // The form of the recipe allows known kinds alone.
  if (architecture === undefined) return { values: [] };
  const at = [...path, "value"];
  const blockNames = listNamedBlocks(architecture);
  const items = typeof value === "string" ? splitText(value) : value;
  const order = Array.isArray(items)
    ? architecture.orders.find(({ length }) => length === items.length)
    : undefined;
  if (Array.isArray(items) && order === undefined)
    return { problems: [{ path: at, text: explainLength(items.length, blocks, architecture) }] };
  const pairs = Object.entries(items).map(([key, item]): BlockValue => {
    const name = order?.[Number(key)] ?? key;
    const place = typeof value === "string" ? at : [...at, order === undefined ? key : Number(key)];
    return { name, value: item as Scalar, path: place };
  });
  if (pairs.length === 0)
    return { problems: [{ path: at, text: "must have a value for a block: it has none" }] };
  const problems = pairs.flatMap(({ name, path: place }): readonly Problem[] => {
    if (blockNames.includes(name)) return [];
    const meant = closestName(name, blockNames);
    const hint = meant === undefined ? `its blocks are ${blockNames.join(", ")}` : `did you mean "${meant}"?`;
    return [{ path: place, text: `is no block of ${architecture.title} (${blocks}); ${hint}` }];
  });
  if (problems.length > 0) return { problems };
  return { values: [...pairs].sort((a, b) => blockNames.indexOf(a.name) - blockNames.indexOf(b.name)) };
}

/** Splits a text of values as programs for diffusion models store them, such as `0,0.5,1`. */
function splitText(text: string): readonly string[] {
  return text.trim().split(/\s*,\s*|\s+/);
}

function explainLength(count: number, blocks: string, { title, orders }: BlockArchitecture): string {
  const forms = orders.map((order) => `${order.length} (${formatRun(order)})`).join(", ");
  const others = [...BLOCK_ARCHITECTURES].flatMap(([name, { orders: lists }]) =>
    lists.some(({ length }) => length === count) ? [name] : [],
  );
  const hint = others.length === 0 ? "" : `, as many as ${others.join(" and ")} may have`;
  return `must have as many values as ${title} (${blocks}) has blocks, ${forms}: it has ${count}${hint}`;
}

/** Formats the names of blocks in order, with the first and the last of each run of numbers. */
function formatRun(order: readonly string[]): string {
  const runs: string[][] = [];
  for (const name of order) {
    const word = name.replace(/\d+$/, "");
    const last = runs.at(-1);
    if (last?.[0]?.replace(/\d+$/, "") === word && word !== name) last.push(name);
    else runs.push([name]);
  }
  return runs.map((names) => (names.length > 1 ? `${names[0]} to ${names.at(-1)}` : names[0])).join(", ");
}

/** Most names that a message lists. */
const SHOWN = 3;

/** A setting by blocks, and its path in the recipe. */
interface PlacedBlocks {
  readonly blocks: string;
  readonly path: Path;
}

/** Finds the problem of a tensor that no setting gives a value, although blocks have values. */
export function findUncovered({ blocks, path }: PlacedBlocks, name: string): Problem {
  const { title, blockNames, blocksOf } = describe(blocks);
  const [block] = blocksOf(name);
  if (block === undefined) {
    const text = `has no block for averages of weights, such as "${name}": leave them out first, by isthmus convert --ema drop`;
    return { path: [...path, "blocks"], text };
  }
  if (!blockNames.has(block)) {
    const text = `must be the kind of the networks: ${title} has no ${block}, which "${name}" is in; isthmus inspect --blocks names their kind`;
    return { path: [...path, "blocks"], text };
  }
  const text = `must have a value for "${name}", which is in ${block}: give ${block} one, or write an item with a value for all other tensors after it`;
  return { path: [...path, "value"], text };
}

/** Lists the problem of blocks of a kind of diffusion model without any of the tensors that were read. */
export function findEmptyBlocks({ blocks, path }: PlacedBlocks, names: Iterable<string>): readonly Problem[] {
  const { title, numbered, blockNames, blocksOf } = describe(blocks);
  const tensorOf = new Map<string, string>();
  for (const name of names) for (const block of blocksOf(name)) tensorOf.set(block, name);
  const stranger = [...tensorOf].find(([block]) => !blockNames.has(block));
  if (stranger !== undefined) return [findUncovered({ blocks, path }, stranger[1])];
  const missing = numbered.filter((block) => !tensorOf.has(block));
  if (missing.length === 0) return [];
  const shown = `${missing.slice(0, SHOWN).join(", ")}${missing.length > SHOWN ? ", ..." : ""}`;
  const at = [...path, "blocks"];
  if (missing.length === numbered.length) {
    const text = `has an effect on ${[...tensorOf.keys()].join(", ")} alone, as there is no tensor in ${shown}`;
    return [{ path: at, text, tolerated: "idle filter" }];
  }
  const text = `must be the kind of the networks: ${title} has ${numbered.length} numbered blocks, and there is no tensor in ${missing.length} of them, ${shown}; isthmus inspect --blocks names their kind`;
  return [{ path: at, text }];
}

function describe(blocks: string) {
  const architecture = entry(BLOCK_ARCHITECTURES, blocks, "kind of diffusion model");
  const blockNames = new Set(listNamedBlocks(architecture));
  return { ...architecture, blockNames, blocksOf: (name: string) => listBlocks(architecture, name) };
}
