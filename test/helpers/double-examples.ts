import { convertData } from "@isthmus/core";
import type { DataSet } from "@isthmus/graph";

/** Returns a data set whose inputs are in f64, for graphs that compute in f64. */
export function doubleExamples({ gatherInto: _, ...data }: DataSet): DataSet {
  return {
    ...data,
    read(begin, end) {
      const batch = data.read(begin, end);
      const { dtype, shape, data: values } = batch.inputs;
      return { ...batch, inputs: { dtype: "f64", shape, data: convertData(values, dtype, "f64") } };
    },
  };
}
