import type { Graph, Node, Probe } from "@isthmus/graph";
import type { OffsetWeight } from "../linear/offset-weights.ts";
import { countReadings } from "../value-index.ts";
import type { Norm } from "./find-norms.ts";

/** A product of a value and a weight that has one number for each place of the value's last axis. */
export interface Gate {
  /** Node that multiplies the value by the weight. */
  readonly node: Node;
  /** Name of the value that is multiplied. */
  readonly input: string;
  /** Name of the weight, even if a number is added to it before it multiplies. */
  readonly gain: string;
}

/**
 * Finds the products by which a branch is scaled element by element before it is added to a stream, as
 * LayerScale does: by a weight along the last axis that nothing else reads, or its sum with a number, and not
 * the gain of a norm.
 *
 * @see Touvron et al., Going deeper with image transformers (2021), section 2, on LayerScale
 */
export function findGates(
  graph: Graph,
  probe: Probe,
  { norms, offsets }: { readonly norms: readonly Norm[]; readonly offsets: readonly OffsetWeight[] },
): Gate[] {
  const { nodes, weights } = graph;
  const weightOf = new Map([
    ...[...weights.keys()].map((name) => [name, name] as const),
    ...offsets.map(({ sum, weight }) => [sum, weight] as const),
  ]);
  const ofNorms = new Set(norms.flatMap((norm) => norm.nodes));
  const readings = countReadings(graph);
  const isFlat = (name: string, extent: number | undefined): boolean => {
    const shape = weights.get(name)?.shape;
    return shape?.at(-1) === extent && shape?.slice(0, -1).every((axis) => axis === 1) === true;
  };
  return nodes.flatMap((node): Gate[] => {
    const { op, domain, inputs } = node;
    const [left = "", right = ""] = inputs;
    if (op !== "Mul" || domain !== "" || ofNorms.has(node)) return [];
    const [input, scale] = weightOf.has(left) ? [right, left] : [left, right];
    const gain = weightOf.get(scale);
    const extent = probe.types.get(input)?.shape.at(-1);
    if (gain === undefined || weightOf.has(input) || readings.get(scale) !== 1) return [];
    return isFlat(gain, extent) ? [{ node, input, gain }] : [];
  });
}
