import { at, DTYPES, FormatError, sizeOf, type Tensor, toFloat64 } from "@isthmus/core";

/** Rows of an array that are used, for the check of {@link assertFinite}. */
export interface UsedRows {
  /** Name of the data set, for messages. */
  readonly name: string;
  /** Name of the array in its file, for messages. */
  readonly array: string;
  /** Number of rows that are left out, from the first. */
  readonly skip: number;
  /** Number of rows up to the last one that is used; 0 for all. */
  readonly limit: number;
}

/**
 * Checks that numbers of the used rows of an array `[n, ...]` are finite: every later result would be NaN,
 * and look like a fault of the network.
 * @throws FormatError if one is NaN or infinite; the message names the first such example
 */
export function assertFinite({ dtype, shape, data }: Tensor, { name, array, skip, limit }: UsedRows): void {
  if (!DTYPES[dtype].float) return;
  const rows = at(shape, 0, "axis");
  const length = sizeOf(shape.slice(1));
  const end = limit === 0 ? rows : Math.min(limit, rows);
  const used = data.subarray(skip * length, end * length);
  const values = dtype === "f32" || dtype === "f64" ? used : toFloat64(used, dtype);
  const index = values.findIndex((value: number | bigint) => !Number.isFinite(value));
  if (index === -1) return;
  const example = skip + Math.floor(index / length);
  const held = Number.isNaN(Number(values[index])) ? "NaN" : String(values[index]);
  throw new FormatError(
    `Cannot use data set "${name}" as its numbers must be finite: example ${example + 1} of ${rows} of ${array} holds ${held}, at index ${example} counted from 0`,
    { format: "data set" },
  );
}
