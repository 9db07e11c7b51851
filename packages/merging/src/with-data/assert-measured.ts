import { type Checkpoint, formatShape, MismatchError, OutOfRangeError, sameShape } from "@isthmus/core";
import type { MergeMethod, MergeStatistic } from "../merge-method.ts";

/** Name and shape of each statistic in messages. */
const NEEDED: Readonly<Record<MergeStatistic, string>> = {
  fisher: "Fisher information, of the shape of the weight",
  grams: "Gram matrices, [inputs, inputs] of a weight [outputs, inputs]",
};

/**
 * Checks that each network comes with what the method needs of its data, for the same tensors and in shapes
 * that fit theirs.
 * @param network - one of the networks, all of which have the same structure
 * @throws OutOfRangeError if the number of files differs from the number of networks
 * @throws MismatchError if a file lacks a tensor of the first file, or the tensor has another shape
 */
export function assertMeasured(
  { name: by, needs }: Pick<MergeMethod, "name" | "needs">,
  measured: readonly Checkpoint[],
  { tensors }: Checkpoint,
  count: number,
): void {
  const needed = needs === undefined ? 0 : count;
  if (measured.length !== needed) {
    const rule =
      needs === undefined
        ? "it needs nothing that was measured"
        : `each of ${count} networks needs ${NEEDED[needs]}, as measured`;
    throw new OutOfRangeError(`Cannot merge by ${by} as ${rule}: got ${measured.length}`);
  }
  if (needs === undefined) return;
  for (const name of measured[0]?.tensors.keys() ?? []) {
    const shape = tensors.get(name)?.shape;
    const expected = needs === "fisher" ? shape : squareOfInputs(shape);
    for (const { tensors: statistics, source } of measured) {
      const got = statistics.get(name)?.shape;
      if (expected !== undefined && got !== undefined && sameShape(got, expected)) continue;
      throw new MismatchError(
        `Cannot merge "${name}" by ${by} as every network needs ${NEEDED[needs]}: ` +
          `the weight is ${describe(shape)}, what was measured in "${source}" is ${describe(got)}`,
        { parameters: [name] },
      );
    }
  }
}

function squareOfInputs(shape: readonly number[] | undefined): readonly number[] | undefined {
  const [, inputs, ...more] = shape ?? [];
  return inputs === undefined || more.length > 0 ? undefined : [inputs, inputs];
}

function describe(shape: readonly number[] | undefined): string {
  return shape === undefined ? "missing" : formatShape(shape);
}
