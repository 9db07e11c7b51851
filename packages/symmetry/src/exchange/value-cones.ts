import type { Node, Probe } from "@isthmus/graph";
import { valuesRead } from "@isthmus/graph/ir";
import type { ValueIndex } from "../value-index.ts";

/** Context in which the summands of a sum are described. */
export interface FormContext {
  /** Graph with the nodes that make and read each value. */
  readonly index: ValueIndex;
  /** Shapes and constants of the graph. */
  readonly probe: Probe;
  /** Whether more than one summand is computed from a value, by its name. */
  readonly isShared: (name: string) => boolean;
}

/** Finds a value and all values that it is computed from. */
export function coneOf({ makers }: ValueIndex, value: string): Set<string> {
  const cone = new Set<string>();
  const waiting = [value];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (name === "" || cone.has(name)) continue;
    cone.add(name);
    const maker = makers.get(name);
    if (maker !== undefined) waiting.push(...valuesRead(maker));
  }
  return cone;
}

/** Lists the values that a sum adds; sums of sums are taken apart if nothing else reads them. */
export function summandsOf(index: ValueIndex, root: Node): string[] {
  return root.inputs.flatMap((name): string[] => {
    const maker = index.makers.get(name);
    const isInner = maker !== undefined && isSum(maker) && index.readers.get(name)?.length === 1;
    return isInner ? summandsOf(index, maker) : [name];
  });
}

/** Checks whether a node adds values. */
export function isSum({ op, domain }: Node): boolean {
  return domain === "" && (op === "Add" || op === "Sum");
}
