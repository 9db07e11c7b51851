import { type Checkpoint, MismatchError } from "@isthmus/core";
import {
  type Form,
  type FoundModule,
  findModule,
  type NameTable,
  type Side,
} from "../../layouts/name-table.ts";
import { FLUX } from "../../layouts/tables/flux.ts";
import { STABLE_DIFFUSION_3 } from "../../layouts/tables/stable-diffusion-3.ts";

/** Names of modules that only one of the transformers has; most names in diffusers are the same in both. */
const SIGNS: readonly (readonly [RegExp, NameTable])[] = [
  [/(^|\.)(double_blocks|single_blocks|single_transformer_blocks)\./, FLUX],
  [/(^|\.)(joint_blocks|attn2)\./, STABLE_DIFFUSION_3],
];

/** Published transformers by their number of channels, with their number of blocks. */
const WIDTHS: ReadonlyMap<number, readonly [NameTable, blocks: number]> = new Map([
  [3072, [FLUX, 19]],
  [1536, [STABLE_DIFFUSION_3, 24]],
  [2432, [STABLE_DIFFUSION_3, 38]],
]);

/** A module of an adapter, by its path in the network. */
export interface NamedModule {
  /** Path in either layout. */
  readonly path: string;
  /** Number of columns of its weight. */
  readonly columns: number;
}

/** A module of a transformer in both layouts. */
export interface TransformerName extends FoundModule {
  /** Relation of the rows of its weight in both layouts. */
  readonly form: Form;
}

/** Finds a module of the transformers of Flux and Stable Diffusion 3; undefined if it is none. */
export type FindTransformerName = (path: string, side: Side) => TransformerName | undefined;

/** The transformer that an adapter changes, and the search for its modules. */
export interface TransformerNames {
  /** Names of Flux or of Stable Diffusion 3; undefined if the adapter changes neither or tells neither. */
  readonly table: NameTable | undefined;
  /** Search for modules, which throws MismatchError as {@link createTransformerNames} says. */
  readonly find: FindTransformerName;
}

/**
 * Prepares the search for modules of the transformers of Flux and Stable Diffusion 3 by their names. Names of
 * diffusers do not tell which of the two it is: other modules, the network or the number of channels do.
 * @param modules - all modules of the adapter
 * @param base - network that the adapter changes; undefined if it is not named
 * @returns the transformer, and a search that throws MismatchError if halves have another order in the last
 *   block of a network, and it is not known which block is the last
 */
export function createTransformerNames(
  source: string,
  modules: readonly NamedModule[],
  base: Checkpoint | undefined,
): TransformerNames {
  const paths = modules.map(({ path }) => path);
  const ofBase = [...(base?.tensors.keys() ?? [])];
  const signed = (names: readonly string[]) =>
    SIGNS.find(([sign]) => names.some((name) => sign.test(name)))?.[1];
  const told = signed(paths) ?? signed(ofBase) ?? ofPublished(modules);
  const find: FindTransformerName = (path, side) => {
    const tables = side === "original" ? [FLUX, STABLE_DIFFUSION_3] : told === undefined ? [] : [told];
    const module = tables.map((table) => findModule(table, path, side)).find((one) => one !== undefined);
    if (module === undefined) return undefined;
    const { form = "same", lastForm } = module.pair;
    if (lastForm === undefined || module.block === undefined) return { ...module, form };
    const isLast = isLastBlock(module.block, paths, ofBase);
    if (isLast !== undefined) return { ...module, form: isLast ? lastForm : form };
    throw new MismatchError(
      `Cannot rename "${path}" of adapter "${source}" as its halves have another order in the last block of the transformer, and the adapter does not tell whether block ${module.block} is the last: name the network that it changes by --base`,
      { parameters: [path] },
    );
  };
  return { table: told, find };
}

/** Finds the transformer by its number of channels, if the adapter has no more blocks than that has. */
function ofPublished(modules: readonly NamedModule[]): NameTable | undefined {
  const blocks = highestBlock(modules.map(({ path }) => path)) + 1;
  for (const { columns } of modules) {
    const [table, count] = WIDTHS.get(columns) ?? [undefined, 0];
    if (table !== undefined) return blocks <= count ? table : undefined;
  }
  return undefined;
}

const BLOCK = /(?:^|\.)(?:joint|transformer)_blocks\.(\d{1,4})\./;

/** Modules that every block but the last has. */
const NOT_LAST = /\.(context_block\.(mlp|attn\.proj)|ff_context|attn\.to_add_out)\b/;

/** Returns the number of the block of a module or tensor; -1 if it is in none. */
function blockOf(name: string): number {
  const [, number = "-1"] = BLOCK.exec(name) ?? [];
  return Number(number);
}

function highestBlock(names: readonly string[]): number {
  return names.reduce((most, name) => Math.max(most, blockOf(name)), -1);
}

/** Tells whether a block is the last one, by the network or else by modules of the adapter, if they do. */
function isLastBlock(
  block: number,
  paths: readonly string[],
  ofBase: readonly string[],
): boolean | undefined {
  const last = highestBlock(ofBase);
  if (last >= 0) return block === last;
  if (block < highestBlock(paths)) return false;
  const others = paths.filter((path) => NOT_LAST.test(path)).map(blockOf);
  if (others.includes(block)) return false;
  return others.length > 0 ? true : undefined;
}
