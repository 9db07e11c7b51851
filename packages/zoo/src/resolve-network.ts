import { resolveOptions } from "@isthmus/core";
import { assertShape } from "./assert-shape.ts";
import type { NetworkShape } from "./network.ts";
import { assertOptions } from "./short-string/format-spec.ts";
import { type FamilyName, GRAMMAR } from "./short-string/grammar.ts";

/**
 * Resolves and checks the options of a network, and what it is built for.
 * @throws TypeError if an option is unknown
 * @throws RangeError if one is not allowed, or the shape is not
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

/** The divisor of a width that does not divide it, as an error: heads, mostly. */
export function assertDivides(
  family: string,
  [whole, extent]: readonly [string, number],
  [part, count]: readonly [string, number],
): void {
  if (extent % count === 0) return;
  throw new RangeError(
    `Cannot build "${family}" as ${part} must divide ${whole}: ${count} does not divide ${extent}`,
  );
}
