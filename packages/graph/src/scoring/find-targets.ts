import { DTYPES, formatShape, InputError, sizeOf } from "@isthmus/core";
import type { Batch, DataSet } from "../data-set.ts";

/** Writes the targets of the examples of a batch, `[examples, ...]`; NaN for numbers that do not count. */
export type WriteTargets = (batch: Batch, out: Float32Array) => void;

/**
 * Checks whether two shapes of an example are equal except for axes of extent 1; symbolic extents fit any
 * extent.
 */
export function haveSameExtents(one: readonly (number | string)[], other: readonly number[]): boolean {
  const [long, short] = [one, other].map((shape) => shape.filter((extent) => extent !== 1));
  return (
    long?.length === short?.length &&
    long?.every((extent, axis) => typeof extent === "string" || extent === short?.[axis]) === true
  );
}

/**
 * Finds the numbers with which the numbers of an output are compared, by its shape: labels that are not
 * classes, classes themselves if the output has one number for each, the inputs, or rows with a 1 at the
 * class.
 *
 * @param shape - shape of the output of one example
 * @throws InputError if the data have no array of that shape; the message lists the existing ones
 */
export function findTargets(attempt: string, data: DataSet, shape: readonly number[]): WriteTargets {
  const { targets, features, exampleShape, labelling = "example", classes } = data;
  const { inputs, labels } = data.read(0, 1);
  const info = targets === undefined ? undefined : features?.get(targets);
  const size = sizeOf(shape);
  if (targets !== undefined && info !== undefined && haveSameExtents(shape, info.shape)) {
    return ({ features: read }, out) => {
      const values = read?.get(targets)?.data;
      for (let i = 0; i < out.length; i++) out[i] = Number(values?.[i]);
    };
  }
  const isClass = labelling === "example" || labelling === "pixel";
  if (isClass && labels.length === size) {
    return ({ labels: read }, out) => {
      for (let i = 0; i < out.length; i++)
        out[i] = (read[i] as number) < 0 ? Number.NaN : (read[i] as number);
    };
  }
  const isFlat = shape.length === 1 && sizeOf(exampleShape) === size;
  if (DTYPES[inputs.dtype].float && (isFlat || haveSameExtents(shape, exampleShape))) {
    return ({ inputs: read }, out) => out.set(read.data as Float32Array);
  }
  if (labelling === "example" && shape.length === 1 && size >= classes && classes > 0) {
    return ({ labels: read }, out) => {
      out.fill(0);
      read.forEach((label, i) => {
        out[i * size + label] = 1;
      });
    };
  }
  throw new InputError(
    `Cannot ${attempt} on "${data.name}" as each number of the output, ${formatShape(shape)} of an example, must have one that it is compared with: ${describeLabels(data, labels.length)}, and inputs are ${formatShape(exampleShape)}; give labels of the output's shape, or name another loss or output`,
    { input: data.name },
  );
}

function describeLabels({ targets, features, unlabelled, classes }: DataSet, labels: number): string {
  const info = targets === undefined ? undefined : features?.get(targets);
  if (info !== undefined) return `labels are ${info.dtype} ${formatShape(info.shape)}`;
  return labels === 0 ? (unlabelled ?? "there are no labels") : `labels are ${classes} classes`;
}
