import { DTYPES, entry, formatShape, MismatchError, sameShape } from "@isthmus/core";
import type { Graph } from "@isthmus/graph";

/**
 * Checks that two graphs have the same symmetries because they are the same but for numbers: bases of
 * rotary positions, epsilons
 * and other floating-point constants do not matter.
 * @throws MismatchError if they differ: in heads, say, which no shape of a weight shows
 */
export function assertSameArchitecture(
  [nameA, a]: readonly [string, Graph],
  [nameB, b]: readonly [string, Graph],
): void {
  const difference = firstDifference(a, b);
  if (difference === undefined) return;
  throw new MismatchError(
    `Cannot align "${nameB}" to "${nameA}" as their configs must describe networks of one structure: ${difference}`,
    { parameters: [] },
  );
}

/** Says where two graphs differ first; undefined if they do not. */
function firstDifference(a: Graph, b: Graph): string | undefined {
  const onlyIn = (one: Graph, two: Graph) => [...one.weights.keys()].filter((name) => !two.weights.has(name));
  const [more, less] = [onlyIn(b, a), onlyIn(a, b)];
  if (more.length > 0) return `the second has ${more.length} tensors more, such as "${more[0]}"`;
  if (less.length > 0) return `the second lacks ${less.length} tensors, such as "${less[0]}"`;
  for (const [name, { shape }] of a.weights) {
    const other = entry(b.weights, name).shape;
    if (!sameShape(shape, other)) return `"${name}" is ${formatShape(shape)} and ${formatShape(other)}`;
  }
  return structureOf(a) === structureOf(b)
    ? undefined
    : "they differ in heads, or in how layers follow each other";
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
