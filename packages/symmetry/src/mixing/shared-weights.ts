import type { Graph } from "@isthmus/graph";

/** Operators whose result is the same weight, to what reads it. */
const PASSING: ReadonlySet<string> = new Set(["Transpose", "Identity", "Cast"]);

/** Finds the weights that several nodes read, as an embedding is read that is also the head. */
export function sharedWeights({ nodes, weights }: Graph): Set<string> {
  const weightOf = new Map([...weights.keys()].map((name) => [name, name]));
  const readers = new Map<string, number>();
  for (const { op, inputs, outputs } of nodes) {
    const read = inputs.flatMap((name) => weightOf.get(name) ?? []);
    const [weight] = read;
    if (PASSING.has(op) && weight !== undefined) {
      for (const output of outputs) weightOf.set(output, weight);
      continue;
    }
    for (const name of new Set(read)) readers.set(name, (readers.get(name) ?? 0) + 1);
  }
  return new Set([...readers].flatMap(([name, count]) => (count > 1 ? [name] : [])));
}
