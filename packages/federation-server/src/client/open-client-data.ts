import { InputError } from "@isthmus/core";
import { openDataSet } from "@isthmus/data";
import type { Batch, DataSet } from "@isthmus/graph";

/**
 * Opens the examples of a client: a name as `openDataSet` takes it, such as `mnist:train@1..6000`. The
 * earlier notation `@BEGIN-END`, from position BEGIN, counted from 0, up to END, exclusive, is read, too.
 * @throws InputError if the name has another form, or there are fewer examples
 */
export async function openClientData(name: string): Promise<DataSet> {
  const [, whole, from, to] = /^(.*)@(\d+)-(\d+)$/s.exec(name) ?? [];
  if (whole === undefined) return openDataSet(name);
  const [begin, end] = [Number(from), Number(to)];
  const data = await openDataSet(whole);
  if (!(begin < end && end <= data.size)) {
    throw new InputError(
      `Cannot open "${name}" as its range must have examples and lie within the ${data.size} of "${whole}": it is ${begin}-${end}`,
      { input: name },
    );
  }
  return sliceExamples(data, name, begin, end);
}

/** Returns the examples of a range as a new data set. */
function sliceExamples(data: DataSet, name: string, begin: number, end: number): DataSet {
  const { gatherInto, ...rest } = data;
  return {
    ...rest,
    name,
    size: end - begin,
    read: (first, last) => data.read(begin + first, begin + last),
    ...(gatherInto && {
      gatherInto: (indices: Uint32Array, out: Batch) =>
        gatherInto(
          indices.map((index) => begin + index),
          out,
        ),
    }),
  };
}
