import { formatShape, OutOfRangeError, resolveOptions, sizeOf } from "@isthmus/core";
import type { NetworkShape } from "./network.ts";
import { assertOptions } from "./short-string/format-spec.ts";
import { type FamilyName, GRAMMAR } from "./short-string/grammar.ts";

/**
 * Resolves and checks the options of a network, and checks the shape for which it is built.
 * @throws UsageError if an option is unknown
 * @throws OutOfRangeError if an option or the shape is not allowed
 */
export function resolveNetwork<T extends object>(
  family: FamilyName,
  {
    defaults,
    options,
    shape,
  }: {
    readonly defaults: Readonly<T>;
    readonly options: { [K in keyof NoInfer<T>]?: NoInfer<T>[K] | undefined };
    readonly shape: NetworkShape;
  },
): Readonly<T> {
  const { name } = GRAMMAR[family];
  const resolved = resolveOptions(`build "${name}"`, defaults, options);
  assertOptions(family, resolved);
  assertShape(name, shape);
  return resolved;
}

/**
 * Checks the shape of examples and the number of classes for which a network is to be built.
 * @throws OutOfRangeError if an extent is not a whole number of at least 1, or there are no classes
 */
function assertShape(family: string, { exampleShape, classes }: NetworkShape): void {
  const isCount = (value: number) => Number.isSafeInteger(value) && value >= 1;
  if (
    !exampleShape.every(isCount) ||
    exampleShape.length === 0 ||
    !Number.isSafeInteger(sizeOf(exampleShape))
  ) {
    throw new OutOfRangeError(
      `Cannot build "${family}" as extents of examples must be whole numbers of at least 1: they are ${formatShape(exampleShape)}`,
    );
  }
  if (isCount(classes)) return;
  throw new OutOfRangeError(`Cannot build "${family}" as it must have at least 1 class: got ${classes}`);
}

/**
 * Checks that one extent divides another, given with their names. @throws OutOfRangeError if it does not
 * divide it
 */
export function assertDivides(
  family: string,
  [whole, extent]: readonly [string, number],
  [part, count]: readonly [string, number],
): void {
  if (extent % count === 0) return;
  throw new OutOfRangeError(
    `Cannot build "${family}" as ${part} must divide ${whole}: ${count} does not divide ${extent}`,
  );
}
