import { UsageError } from "@isthmus/core";
import { allocateBatch, copyExample, type DataSet } from "@isthmus/graph";

/**
 * Makes one data set of several of the same form, one after another.
 * @throws UsageError if there are no data sets
 */
export function joinExamples(parts: readonly DataSet[], name: string): DataSet {
  const [first] = parts;
  if (first === undefined) throw new UsageError(`Cannot join examples to "${name}" as there must be some`);
  const { gatherInto: _, ...like } = first;
  const size = parts.reduce((sum, part) => sum + part.size, 0);
  return {
    ...like,
    name,
    size,
    read(begin, end) {
      const out = allocateBatch(first, end - begin);
      let before = 0;
      for (const part of parts) {
        const [from, to] = [Math.max(begin, before), Math.min(end, before + part.size)];
        if (from < to) {
          const read = part.read(from - before, to - before);
          for (let i = from; i < to; i++) copyExample(read, i - from, out, i - begin);
        }
        before += part.size;
      }
      return out;
    },
  };
}
