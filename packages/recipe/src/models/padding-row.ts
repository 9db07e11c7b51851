import { allocateData, asFloat32, at, convertInto, sizeOf } from "@isthmus/core";
import { addRows } from "./kernels/add-rows.ts";
import { measureTable, type Padding, type RowTable, readRows } from "./read-rows.ts";

/** Number of elements that are read at once while rows are averaged. */
const CHUNK = 2 ** 20;

/**
 * Creates the padding of a tensor, whose rows equal the mean row. The mean is computed once, when it is first
 * needed.
 */
export function createPadding(table: RowTable): Padding {
  let mean: Promise<Float64Array> | undefined;
  const padding: Padding = {
    async readInto({ outer, offset, out }) {
      mean ??= averageRows(table, padding);
      const { inner } = measureTable(table);
      const begin = outer * inner + offset;
      const data = (await mean).subarray(begin, begin + out.length);
      convertInto({ data, dtype: "f64" }, { data: out, dtype: table.dtype });
    },
  };
  return padding;
}

/** Averages the rows of tokens. @returns `[outer, inner]`, in f64 */
async function averageRows(table: RowTable, padding: Padding): Promise<Float64Array> {
  const { inner, size } = measureTable(table);
  const outers = sizeOf(table.shape.slice(0, table.axis));
  const ids = [...table.rows.keys()].filter(table.isToken);
  const mean = new Float64Array(outers * inner);
  const most = Math.max(1, Math.floor(CHUNK / Math.max(1, inner)));
  for (let outer = 0; outer < outers; outer++) {
    const sum = mean.subarray(outer * inner, (outer + 1) * inner);
    for (const { first, count } of runsOf(ids, most)) {
      const out = allocateData(table.dtype, count * inner);
      await readRows(table, { begin: (outer * size + first) * inner, out, padding });
      addRows(out instanceof Float64Array ? out : asFloat32(out, table.dtype), sum);
    }
    for (let i = 0; i < inner; i++) sum[i] = at(sum, i) / ids.length;
  }
  return mean;
}

/** Cuts rising ids into runs without gaps, of at most `most` ids each. */
function* runsOf(ids: readonly number[], most: number): Generator<{ first: number; count: number }> {
  for (let i = 0; i < ids.length; ) {
    const first = at(ids, i);
    let count = 1;
    while (count < most && ids[i + count] === first + count) count++;
    yield { first, count };
    i += count;
  }
}
