import type { Batch, DataSet } from "@isthmus/graph";
import { assertReads } from "./assert-reads.ts";

/** Returns a data set without its first `skip` examples; at least one must remain. */
export function skipExamples(data: DataSet, skip: number): DataSet {
  if (skip === 0) return data;
  const { name, gatherInto } = data;
  const size = data.size - skip;
  return Object.freeze({
    ...data,
    size,
    read(begin: number, end: number): Batch {
      assertReads({ name, size }, begin, end);
      return data.read(begin + skip, end + skip);
    },
    // An index beyond the data remains beyond it.
    ...(gatherInto && {
      gatherInto: (indices: Uint32Array, out: Batch) =>
        gatherInto(
          indices.map((index) => index + skip),
          out,
        ),
    }),
  });
}
