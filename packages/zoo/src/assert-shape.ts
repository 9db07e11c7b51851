import { formatShape, sizeOf } from "@isthmus/core";
import type { NetworkShape } from "./network.ts";

/**
 * Checks what a network is to be built for.
 * @throws RangeError if an extent is not a whole number of at least 1, or there are no classes
 */
export function assertShape(family: string, { exampleShape, classes }: NetworkShape): void {
  const isCount = (value: number) => Number.isSafeInteger(value) && value >= 1;
  if (
    !exampleShape.every(isCount) ||
    exampleShape.length === 0 ||
    !Number.isSafeInteger(sizeOf(exampleShape))
  ) {
    throw new RangeError(
      `Cannot build "${family}" as extents of examples must be whole numbers of at least 1: they are ${formatShape(exampleShape)}`,
    );
  }
  if (isCount(classes)) return;
  throw new RangeError(`Cannot build "${family}" as it must have at least 1 class: got ${classes}`);
}
