import { DTYPES, MismatchError } from "@isthmus/core";
import type { Graph } from "@isthmus/graph";

/**
 * Checks that two graphs have the same symmetries because they are the same but for numbers: bases of rotary positions, epsilons
 * and other floating-point constants do not matter.
 * @throws MismatchError if they differ: in heads, say, which no shape of a weight shows
 */
export function assertSameStructure(
  [nameA, a]: readonly [string, Graph],
  [nameB, b]: readonly [string, Graph],
): void {
  if (structureOf(a) === structureOf(b)) return;
  throw new MismatchError(
    `Cannot align "${nameB}" to "${nameA}" as their configs must describe networks of one structure: they differ in heads, layers or extents`,
    { parameters: [] },
  );
}

function structureOf({ weights, nodes, constants }: Graph): string {
  return JSON.stringify([
    [...weights].map(([name, { shape }]) => [name, shape]),
    [...constants].map(([name, { dtype, shape, data }]) => [
      name,
      shape,
      DTYPES[dtype].float ? [] : Array.from(data as Int32Array, String),
    ]),
    nodes.map(({ op, inputs, outputs, attributes }) => [
      op,
      inputs,
      outputs,
      [...attributes].filter(([, { type }]) => type === "int" || type === "ints" || type === "string"),
    ]),
  ]);
}
