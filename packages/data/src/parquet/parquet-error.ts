import { FormatError } from "@isthmus/core";

/** Returns the error for a damaged Parquet file. */
export function parquetError(source: string, reason: string, cause?: unknown): FormatError {
  return new FormatError(`Cannot read "${source}" as ${reason}`, { format: "parquet", cause });
}
