import { createTensor, sizeOf, UsageError } from "@isthmus/core";
import type { DataSet } from "@isthmus/graph";

/**
 * Makes one data set of several of the same shape, one after another; each has inputs and labels only.
 * @throws UsageError if there are none
 */
export function joinExamples(parts: readonly DataSet[], name: string): DataSet {
  const [first] = parts;
  if (first === undefined) throw new UsageError(`Cannot join examples to "${name}" as there must be some`);
  const stride = sizeOf(first.exampleShape);
  const { gatherInto: _, ...like } = first;
  const size = parts.reduce((sum, part) => sum + part.size, 0);
  return {
    ...like,
    ...{ name, size },
    read(begin, end) {
      const inputs = new Float32Array((end - begin) * stride);
      const labels = new Int32Array(end - begin);
      let before = 0;
      for (const part of parts) {
        const [from, to] = [Math.max(begin, before), Math.min(end, before + part.size)];
        if (from < to) {
          const read = part.read(from - before, to - before);
          inputs.set(read.inputs.data as Float32Array, (from - begin) * stride);
          labels.set(read.labels, from - begin);
        }
        before += part.size;
      }
      return { inputs: createTensor("f32", [end - begin, ...first.exampleShape], inputs), labels };
    },
  };
}
