import { formatShape, InputError } from "@isthmus/core";
import type { NetworkShape } from "./network.ts";

/**
 * Reads the number of tokens of an example, `[length]`.
 * @param context - requested length; undefined for any length
 * @throws InputError if examples are not rows of tokens, or have another length
 */
export function tokenLength(
  family: string,
  { exampleShape }: NetworkShape,
  context: number | undefined,
): number {
  const [length] = exampleShape;
  if (exampleShape.length !== 1 || length === undefined) {
    throw new InputError(
      `Cannot build "${family}" for examples ${formatShape(exampleShape)} as they must be rows of tokens [length]`,
      { input: family },
    );
  }
  if (context === undefined || context === length) return length;
  throw new InputError(
    `Cannot build "${family}" for examples of ${length} tokens as they must be as long as its context, ${context}: open the data with that context, or leave out "c${context}"`,
    { input: family },
  );
}
