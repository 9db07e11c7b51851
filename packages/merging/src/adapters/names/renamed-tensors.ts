import {
  at,
  type Checkpoint,
  convertInto,
  type DType,
  defineCheckpoint,
  entry,
  sizeOf,
  type TensorData,
  type TensorInfo,
  UnsupportedError,
} from "@isthmus/core";
import type { Adapter, AdapterModule } from "../adapter.ts";
import { commonMetadata } from "../adapter-file.ts";
import { type BlockMatrix, type MatrixBlock, readBlocks } from "./block-matrix.ts";
import type { NameStyle } from "./name-style.ts";

/** A module with the extents of its weight's kernel, if its factors do not tell them. */
export interface ShapedModule extends AdapterModule {
  /** Extents of the weight after the first; undefined if `A` has them. */
  readonly kernel?: readonly number[];
}

/** Rows of a matrix that follow one another. */
export interface RowRange {
  /** First row. */
  readonly from: number;
  /** Number of rows. */
  readonly count: number;
}

/** Rows of the change of a module, in the order in which they are written. */
export interface ModulePart {
  /** Module; undefined for rows that the adapter does not change. */
  readonly module: ShapedModule | undefined;
  /** Rows of `B`. */
  readonly rows: readonly RowRange[];
}

/** Source of the elements of a renamed tensor: a matrix of blocks, or one number. */
export interface Origin {
  /** Element type and shape of the renamed tensor. */
  readonly info: TensorInfo;
  /** Elements as a matrix, or a number that is written by itself. */
  readonly content: Omit<BlockMatrix, "dtype"> | number;
}

/** Factors of a module under a new name. */
export interface RenamedFactors {
  /** Number of rows of `A`. */
  readonly rank: number;
  /** Numerator of the scale. */
  readonly alpha: number;
  /** Tensors by the ends of their names. */
  readonly origins: readonly (readonly [string, Origin])[];
}

/**
 * Joins parts of modules to the factors of one module: rows of `B` one after another if all parts have the
 * same `A`; else all `A` one after another, and in `B` a block for each part and zeros elsewhere, so that the
 * product is the same.
 * @throws UnsupportedError if some rows have lengths (DoRA) and others have none
 */
export function joinFactors(
  adapter: Adapter,
  { ends, scale: place }: NameStyle,
  parts: readonly ModulePart[],
): RenamedFactors {
  const { tensors } = adapter.checkpoint;
  const modules = parts.flatMap(({ module }) => (module === undefined ? [] : [module]));
  const first = at(modules, 0, "module");
  const isShared = modules.length === parts.length && modules.every(({ a }) => a === first.a);
  const isOneScale = modules.every(({ scale }) => scale === first.scale);
  const isFolded = place === "factor" || !isOneScale;
  const inner = first.kernel ?? entry(tensors, first.a, "tensor").shape.slice(1);
  const ones = inner.slice(1).map(() => 1);
  const down = stack(
    (isShared ? [first] : modules).map((module) => ({ module, rows: allRows(module.rank) })),
    {
      keyOf: ({ a }) => a,
      width: sizeOf(inner),
    },
  );
  const up = stack(parts, {
    keyOf: ({ b }) => b,
    widthOf: ({ rank }) => rank,
    factorOf: ({ scale }) => (isFolded ? scale : 1),
    isDiagonal: !isShared,
  });
  const rank = isShared ? first.rank : up.columns;
  const alpha = (isFolded ? 1 : first.scale) * rank;
  const originOf = (of: Stacked, shape: readonly number[]): Origin => ({
    info: { dtype: typeOf(tensors, of.blocks), shape },
    content: of,
  });
  const origins: (readonly [string, Origin])[] = [
    [at(ends.down, 0, "end"), originOf(down, [rank, ...inner])],
    [at(ends.up, 0, "end"), originOf(up, [up.rows, rank, ...ones])],
  ];
  if (place === "alpha")
    origins.push([at(ends.alpha, 0, "end"), { content: alpha, info: { dtype: "f32", shape: [] } }]);
  if (modules.every(({ magnitude }) => magnitude === undefined)) return { rank, alpha, origins };
  const lengths = stack(parts, { keyOf: (module) => lengthsOf(adapter, module), width: 1 });
  const plain = ones.length === 0 ? [up.rows] : [1, up.rows, ...ones];
  const shape = place === "alpha" ? [up.rows, 1, ...ones] : plain;
  return { rank, alpha, origins: [...origins, [at(ends.magnitude, 0, "end"), originOf(lengths, shape)]] };
}

/** Returns all rows of a matrix as one range. */
export function allRows(count: number): readonly RowRange[] {
  return [{ from: 0, count }];
}

type Stacked = Omit<BlockMatrix, "dtype"> & { readonly rows: number };

/** Lays out rows of several matrices one below the other, or each behind the columns of those before it. */
function stack(
  parts: readonly ModulePart[],
  {
    keyOf,
    width,
    widthOf = () => width ?? 1,
    factorOf = () => 1,
    isDiagonal = false,
  }: {
    readonly keyOf: (module: ShapedModule) => string;
    readonly width?: number;
    readonly widthOf?: (module: ShapedModule) => number;
    readonly factorOf?: (module: ShapedModule) => number;
    readonly isDiagonal?: boolean;
  },
): Stacked {
  const blocks: MatrixBlock[] = [];
  let [row, column, columns] = [0, 0, 0];
  for (const { module, rows } of parts) {
    const ownColumns = module === undefined ? 0 : widthOf(module);
    for (const range of rows) {
      if (module !== undefined)
        blocks.push({
          ...range,
          key: keyOf(module),
          width: ownColumns,
          row,
          column,
          factor: factorOf(module),
        });
      row += range.count;
    }
    columns = Math.max(columns, column + ownColumns);
    if (isDiagonal) column += ownColumns;
  }
  return { blocks, columns, rows: row };
}

/** Returns the type of all matrices, or f32 if they have different ones. */
function typeOf(tensors: Checkpoint["tensors"], blocks: readonly MatrixBlock[]): DType {
  const types = [...new Set(blocks.map(({ key }) => entry(tensors, key, "tensor").dtype))];
  return types.length === 1 ? at(types, 0, "type") : "f32";
}

function lengthsOf({ source }: Adapter, { magnitude, name }: ShapedModule): string {
  if (magnitude !== undefined) return magnitude;
  throw new UnsupportedError(
    `Cannot join modules of adapter "${source}" to one as all of its rows or none must have lengths (DoRA): "${name}" has none`,
    { feature: "DoRA" },
  );
}

/** Makes a checkpoint that has the tensors of an adapter under other names. */
export function renamedCheckpoint(
  { checkpoint, source }: Adapter,
  origins: ReadonlyMap<string, Origin>,
): Checkpoint {
  return defineCheckpoint({
    source,
    metadata: commonMetadata([checkpoint]),
    inputs: [checkpoint],
    tensors: new Map([...origins].map(([name, { info }]) => [name, info])),
    async readInto(name, begin: number, out: TensorData) {
      const { content, info } = entry(origins, name, "tensor");
      if (typeof content !== "number")
        return readBlocks(checkpoint, { ...content, dtype: info.dtype }, begin, out);
      convertInto({ dtype: "f64", data: Float64Array.of(content) }, { dtype: info.dtype, data: out });
    },
  });
}
