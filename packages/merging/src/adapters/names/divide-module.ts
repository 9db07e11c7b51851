import { at, type Checkpoint, entry, MismatchError, sizeOf, UnsupportedError } from "@isthmus/core";
import type { Adapter } from "../adapter.ts";
import type { CanonicalName } from "./canonical-name.ts";
import { allRows, type ModulePart, type RowRange, type ShapedModule } from "./renamed-tensors.ts";
import type { FindTransformerName, TransformerName } from "./transformer-names.ts";

/** A module, or rows of it that are a module in diffusers, with its canonical name. */
export interface RenamedModule {
  /** Name in diffusers. */
  readonly name: CanonicalName;
  /** Module of the adapter. */
  readonly module: ShapedModule;
  /** Rows of its change. */
  readonly rows: readonly RowRange[];
}

/**
 * Divides a module under its original name into the modules of diffusers, which share its `A` and have rows
 * of its `B`; a module that is no fused one of Flux or Stable Diffusion 3 stays whole.
 * @throws MismatchError if its rows cannot be divided
 */
export function divideModule(
  { checkpoint, source }: Adapter,
  name: CanonicalName,
  { module, find }: { readonly module: ShapedModule; readonly find: FindTransformerName },
): readonly RenamedModule[] {
  const { a, b, rank } = module;
  const sizeOfTensor = (key: string) => sizeOf(entry(checkpoint.tensors, key, "tensor").shape);
  const count = sizeOfTensor(b) / rank;
  const divided =
    name.part === "unet" || name.part === "transformer" ? find(name.path, "original") : undefined;
  if (divided === undefined) return [{ name, module, rows: allRows(count) }];
  const columns = sizeOfTensor(a) / rank;
  const { diffusers, form } = divided;
  const sizes = sizesOf(divided, count, columns);
  if (sizes.some((size) => size <= 0 || !Number.isInteger(size)) || (form === "swapped" && count % 2 !== 0)) {
    throw new MismatchError(
      `Cannot rename "${module.name}" of adapter "${source}" as its rows must be those of ${diffusers.join(", ")}: it has ${count}`,
      { parameters: [module.name] },
    );
  }
  let from = 0;
  return diffusers.map((path, i) => {
    const range = { from, count: at(sizes, i, "size") };
    from += range.count;
    const rows = form === "swapped" ? exchangeHalves([range]) : [range];
    return { name: { part: "transformer", path }, module, rows };
  });
}

/** Returns the number of rows of each part of a fused module. */
function sizesOf({ diffusers, form }: TransformerName, count: number, columns: number): readonly number[] {
  const { length } = diffusers;
  if (form !== "hidden") return diffusers.map(() => count / length);
  return diffusers.map((_, i) => (i < length - 1 ? columns : count - columns * (length - 1)));
}

/** Exchanges the two halves of rows. */
function exchangeHalves(rows: readonly RowRange[]): readonly RowRange[] {
  let left = rows.reduce((sum, { count }) => sum + count, 0) / 2;
  const [first, second]: [RowRange[], RowRange[]] = [[], []];
  for (const { from, count } of rows) {
    const before = Math.min(left, count);
    if (before > 0) first.push({ from, count: before });
    if (count > before) second.push({ from: from + before, count: count - before });
    left -= before;
  }
  return [...second, ...first];
}

/** A module under its original name, and the modules of diffusers that the adapter has of it. */
export interface FusedModule extends TransformerName {
  /** Modules by the places of their names in diffusers. */
  readonly parts: ReadonlyMap<number, RenamedModule>;
}

/**
 * Lists the parts of a fused module in order, with rows of zeros for modules that the adapter leaves alone.
 * @param base - network that the adapter changes; undefined if it is not named
 * @throws UnsupportedError if it is not known how many rows a missing part has
 */
export function fuseParts(
  { checkpoint, source }: Adapter,
  { original, diffusers, form, parts }: FusedModule,
  base: Checkpoint | undefined,
): readonly ModulePart[] {
  const [some] = parts.values();
  const ownRows = some?.rows.reduce((sum, { count }) => sum + count, 0) ?? 0;
  const columns =
    some === undefined
      ? 0
      : sizeOf(entry(checkpoint.tensors, some.module.a, "tensor").shape) / some.module.rank;
  return diffusers.map((path, i) => {
    const part = parts.get(i);
    if (part !== undefined) {
      const rows = form === "swapped" ? exchangeHalves(part.rows) : part.rows;
      return { module: part.module, rows };
    }
    const isOther = form === "hidden" && i === diffusers.length - 1;
    const count = isOther
      ? rowsIn(base, { path, original, columns, parts: diffusers.length - 1 })
      : form === "hidden"
        ? columns
        : ownRows;
    if (count !== undefined) return { module: undefined, rows: allRows(count) };
    throw new UnsupportedError(
      `Cannot rename adapter "${source}" as "${original}" has the rows of ${diffusers.join(", ")}, and the adapter does not change "${path}": name the network that it changes by --base, which tells how many rows that has`,
      { feature: original },
    );
  });
}

/** Finds the number of rows of a weight in a network of either layout. */
function rowsIn(
  base: Checkpoint | undefined,
  {
    path,
    original,
    columns,
    parts,
  }: { readonly path: string; readonly original: string; readonly columns: number; readonly parts: number },
): number | undefined {
  for (const [name, { shape }] of base?.tensors ?? []) {
    const [rows = 0] = shape;
    if (name.endsWith(`${path}.weight`)) return rows;
    if (name.endsWith(`${original}.weight`)) return rows - parts * columns;
  }
  return undefined;
}
