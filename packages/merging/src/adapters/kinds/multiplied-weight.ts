import type { Checkpoint } from "@isthmus/core";
import type { Matrix } from "@isthmus/linear-algebra";
import { addScaled, subtract } from "../../matrices/kernels/task-vectors.ts";
import type { ChangedRows, FactorType } from "../factors.ts";

/** Rows of a weight that are changed in place, with the number of elements of each. */
export interface MultipliedRows {
  /** Elements of the rows, which are replaced. */
  readonly data: Matrix["data"];
  /** Position of the first row in the weight. */
  readonly top: number;
  /** Number of elements of each row. */
  readonly columns: number;
}

/** Multiplies rows of a weight, or elements of a bias, in place. */
export type MultiplyRows = (rows: MultipliedRows) => void;

/**
 * Change of a weight that multiplies it, in place of adding to it, or that needs its shape or its rows for
 * other reasons.
 */
export interface MultipliedWeight {
  /** Name of the module in the network; its weight is `NAME.weight`. */
  readonly name: string;
  /** Common name of the kind of adapter. */
  readonly kind: string;
  /** Number of rows that are only multiplied together, of which the weight has a multiple. @defaultValue 1 */
  readonly rowBlock?: number;
  /** Checks whether a weight of a shape can be multiplied. */
  readonly fits: (shape: readonly number[]) => boolean;
  /** Shape of weights that fit, for messages, such as `[*, 8]`. */
  readonly expected: string;
  /** Reads the factors, and returns a function that multiplies rows of the weight in place. */
  readonly readRows: (type: FactorType) => Promise<MultiplyRows>;
  /**
   * Reads the factors, and returns a function that multiplies elements of the bias in place; undefined if
   * the bias is not changed.
   */
  readonly readBias?: (type: FactorType) => Promise<MultiplyRows>;
  /** Whether the change is for a weight that is stored as `[in, out]`. @defaultValue false */
  readonly isTransposed?: boolean;
  /** The same change for a weight that is stored the other way round. @defaultValue none */
  readonly turned?: MultipliedWeight;
}

/** Weights and settings of an adapter. */
export interface MultipliedSource {
  /** Path of the adapter, for messages. */
  readonly source: string;
  /** Weights of the adapter. */
  readonly checkpoint: Checkpoint;
  /** Settings in `adapter_config.json`. */
  readonly settings: Readonly<Record<string, unknown>>;
}

/** A kind of adapter whose changes multiply weights. */
export interface MultipliedKind {
  /** Common name of the kind, such as `OFT`. */
  readonly name: string;
  /** Type in `adapter_config.json` of PEFT; undefined for a kind of single files, such as LyCORIS writes. */
  readonly peftType: string | undefined;
  /** Pattern of the end of the name of the tensor that shows the kind, one for each module. */
  readonly end: RegExp;
  /**
   * Lists the names of the other tensors of a module, and of the tensors that all modules share.
   * @defaultValue none
   */
  readonly others?: (key: string) => readonly string[];
  /**
   * Opens the change of a module.
   * @throws MismatchError if the shape of the tensor is none that the kind has
   * @throws UnsupportedError if the settings ask for a variant that is not supported
   */
  readonly open: (
    module: string,
    key: string,
    source: MultipliedSource,
  ) => MultipliedWeight | Promise<MultipliedWeight>;
}

/** Changes that multiply weights, with the names of their tensors. */
export interface OpenedMultiplied {
  /** Changes by the names of modules. */
  readonly multiplied: ReadonlyMap<string, MultipliedWeight>;
  /** Names of the tensors of the changes in the adapter. */
  readonly keys: ReadonlySet<string>;
}

/**
 * Opens all changes of some kinds.
 * @param nameOf - returns the name of a module that stands before the end of a tensor's name
 * @throws MismatchError if the shape of a tensor is none that its kind has
 * @throws UnsupportedError if the settings ask for a variant that is not supported
 */
export async function openMultiplied(
  kinds: readonly MultipliedKind[],
  source: MultipliedSource,
  nameOf: (module: string) => string = (module) => module,
): Promise<OpenedMultiplied> {
  const multiplied = new Map<string, MultipliedWeight>();
  const keys = new Set<string>();
  for (const key of source.checkpoint.tensors.keys()) {
    const kind = kinds.find(({ end }) => end.test(key));
    if (kind === undefined) continue;
    const name = nameOf(key.replace(kind.end, ""));
    multiplied.set(name, await kind.open(name, key, source));
    for (const one of [key, ...(kind.others?.(key) ?? [])]) keys.add(one);
  }
  return { multiplied, keys };
}

/**
 * Multiplies rows of a weight, or elements of a bias, in place, as much of it as the weight of the adapter
 * says: `W + weight * (multiplied W - W)`.
 */
export function multiplyIn(
  result: Matrix["data"],
  multiplyRows: MultiplyRows,
  { top, columns, weight }: ChangedRows,
): void {
  const before = result.slice();
  multiplyRows({ data: result, top, columns });
  if (weight === 1) return;
  subtract(result, before);
  addScaled(before, result, weight);
  result.set(before);
}
