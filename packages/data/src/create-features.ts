import { DTYPES, entry, sizeOf, type Tensor, type TensorInfo } from "@isthmus/core";
import type { Batch, Scaling } from "@isthmus/graph";
import { wrongBatch } from "./assert-reads.ts";
import { exampleShapeOf, inputGatherer, inputReader } from "./read-inputs.ts";

/** Further arrays of a data set. */
export interface Features {
  /** Type and shape of one example of each array, as it is fed. */
  readonly infos: ReadonlyMap<string, TensorInfo>;
  /** Reads examples `[begin, end)` of all arrays. */
  read(begin: number, end: number): ReadonlyMap<string, Tensor>;
  /**
   * Writes the examples at `indices` of all arrays into a batch.
   * @throws OutOfRangeError if the batch has no room for one of them
   */
  gatherInto(indices: Uint32Array, out: Batch): void;
}

/**
 * Creates the functions that read further arrays `[n, ...]`: floats as f32, images of bytes scaled, other
 * integers unchanged; returns undefined if there are none.
 */
export function createFeatures(
  features: ReadonlyMap<string, Tensor>,
  imageScaling: Scaling,
): Features | undefined {
  if (features.size === 0) return undefined;
  const readers = [...features].map(([name, tensor]) => {
    const { dtype, shape } = tensor;
    // Rows of bytes are masks and flags, not shades of grey.
    const scaling = dtype === "u8" && shape.length > 2 ? imageScaling : undefined;
    const isFloat = DTYPES[dtype].float || scaling !== undefined;
    const info: TensorInfo = { dtype: isFloat ? "f32" : dtype, shape: exampleShapeOf(tensor) };
    const read = inputReader(tensor, scaling);
    return { name, info, read, gather: inputGatherer(tensor, scaling) };
  });
  return {
    infos: new Map(readers.map(({ name, info }) => [name, info])),
    read: (begin, end) =>
      new Map(
        readers.map(({ name, info, read }) => [
          name,
          { ...read(begin, end), shape: [end - begin, ...info.shape] },
        ]),
      ),
    gatherInto(indices, { features: room = new Map<string, Tensor>() }) {
      for (const { name, info, gather } of readers) {
        const tensor = room.get(name);
        if (tensor?.data.length !== indices.length * sizeOf(info.shape)) {
          throw wrongBatch(`it must have room for ${indices.length} rows of "${name}"`);
        }
        gather(indices, entry(room, name, "feature"));
      }
    },
  };
}
