/**
 * Relation of a tensor under its original name to one or several tensors of diffusers: the same elements;
 * `thirds`, equal parts one after another; `hidden`, three parts of as many rows as the weight has columns,
 * and a last part with the other rows; `swapped`, with its two halves exchanged; `flat`, a convolution of
 * extent 1 that diffusers stores as a matrix; or `transposed`.
 */
export type Form = "same" | "thirds" | "hidden" | "swapped" | "flat" | "transposed";

/** A module under its original name and its names in diffusers, which are several if it is divided there. */
export interface ModulePair {
  /** Name in the original program, inside its block; of one tensor if `tensors` is empty. */
  readonly original: string;
  /** Names in diffusers, inside the block of the table. */
  readonly diffusers: readonly string[];
  /** Relation of the tensors. @defaultValue "same" */
  readonly form?: Form;
  /** Relation of the tensors in the last block. @defaultValue `form` */
  readonly lastForm?: Form;
  /** Words at the ends of the names of the module's tensors; empty if the names are names of tensors. */
  readonly tensors: readonly string[];
  /**
   * Whether every block has the module, every block but the last, every block of some models, or some blocks.
   */
  readonly presence: "always" | "not-last" | "some-models" | "some-blocks";
  /** Name of the modules that are all there if one of them is. @defaultValue the original name */
  readonly group?: string;
}

/** Names of the modules of one kind of block in the original program and in diffusers. */
export interface BlockTable {
  /** Beginnings of the names in the original program and in diffusers, with `#` for the block's number. */
  readonly block: readonly [original: string, diffusers: string];
  /** Modules inside the block. */
  readonly modules: readonly ModulePair[];
}

/** Names of all tensors of a network. */
export type NameTable = readonly BlockTable[];

/** A tensor of one model under its original name, and the tensors of diffusers that hold its elements. */
export interface NameRow {
  /** Name in the original program. */
  readonly original: string;
  /** Names in diffusers. */
  readonly diffusers: readonly string[];
  /** Relation of the elements. */
  readonly form: Form;
  /** Name of the tensors that may be missing together; undefined if the tensor must be there. */
  readonly optional: string | undefined;
}

/** Side of a table: names of the original program, or of diffusers. */
export type Side = "original" | "diffusers";

type Names = string | readonly string[];
type PairOptions = Partial<Omit<ModulePair, "original" | "diffusers">>;

/** Makes a line of a table: a module with weight and bias that every block has, unless said otherwise. */
export function pair(original: string, diffusers: Names, options: PairOptions = {}): ModulePair {
  const names = typeof diffusers === "string" ? [diffusers] : diffusers;
  return { original, diffusers: names, tensors: ["weight", "bias"], presence: "always", ...options };
}

/**
 * Counts the blocks of a table in the names of a model, with one more if a number is left out, so that the
 * first block that is missing is among them; a large number alone makes no blocks.
 */
export function countBlocks({ block }: BlockTable, names: Iterable<string>, side: Side): number {
  const [before = "", after = ""] = beginningOf(block, side).split("#");
  const numbers = new Set<number>();
  for (const name of names) {
    if (!name.startsWith(before)) continue;
    const [number = ""] = /^\d{1,4}(?=\.)/.exec(name.slice(before.length)) ?? [];
    if (number !== "" && name.startsWith(after, before.length + number.length)) numbers.add(Number(number));
  }
  const most = Math.max(-1, ...numbers) + 1;
  return Math.min(most, numbers.size + 1);
}

function beginningOf([original, diffusers]: BlockTable["block"], side: Side): string {
  return side === "original" ? original : diffusers;
}

/** Lists the tensors that a model with such names must have, or may have. */
export function expandTable(table: NameTable, names: readonly string[], side: Side): readonly NameRow[] {
  return table.flatMap((blocks) => {
    const [original, diffusers] = blocks.block;
    const count = original.includes("#") ? countBlocks(blocks, names, side) : 1;
    return Array.from({ length: count }, (_, i) => {
      const numbered = (text: string) => text.replace("#", String(i));
      return rowsOf(blocks.modules, [numbered(original), numbered(diffusers)], i === count - 1);
    }).flat();
  });
}

/** Lists the tensors of modules in one block. */
export function rowsOf(
  modules: readonly ModulePair[],
  [original, diffusers]: readonly [string, string],
  isLast = false,
): readonly NameRow[] {
  return modules.flatMap((module) => {
    if (isLast && module.presence === "not-last") return [];
    const form = (isLast ? module.lastForm : undefined) ?? module.form ?? "same";
    const name = original + module.original;
    const group = module.group ?? module.original;
    const groups = new Map([
      ["some-models", `#.${group}`],
      ["some-blocks", original + group],
    ]);
    const ends = module.tensors.length === 0 ? [""] : module.tensors.map((tensor) => `.${tensor}`);
    return ends.map((end) => ({
      original: name + end,
      diffusers: module.diffusers.map((one) => diffusers + one + end),
      form,
      optional: groups.get(module.presence),
    }));
  });
}

/** A module of a table that was found by one of its names. */
export interface FoundModule {
  /** Name in the original program. */
  readonly original: string;
  /** Names in diffusers. */
  readonly diffusers: readonly string[];
  /** Line of the table. */
  readonly pair: ModulePair;
  /** Number of the block; undefined for modules outside of blocks. */
  readonly block: number | undefined;
}

/** Finds a module by its name on one side of a table. */
export function findModule(table: NameTable, path: string, side: Side): FoundModule | undefined {
  for (const { block, modules } of table) {
    const [before = "", after] = beginningOf(block, side).split("#");
    if (!path.startsWith(before)) continue;
    const [number = ""] = after === undefined ? [] : (/^\d{1,4}/.exec(path.slice(before.length)) ?? []);
    const begin = before + number + (after ?? "");
    if ((after !== undefined && number === "") || !path.startsWith(begin)) continue;
    const rest = path.slice(begin.length);
    const line = modules.find(({ tensors, original, diffusers }) => {
      return tensors.length > 0 && (side === "original" ? original === rest : diffusers.includes(rest));
    });
    if (line === undefined) continue;
    const [original, diffusers] = block.map((text) => text.replace("#", number));
    return {
      original: original + line.original,
      diffusers: line.diffusers.map((name) => diffusers + name),
      pair: line,
      block: number === "" ? undefined : Number(number),
    };
  }
  return undefined;
}
