import type { Graph } from "@isthmus/graph";
import { type GraphBuilder, where } from "@isthmus/graph/builder";
import { unusedName } from "../unused-name.ts";
import { type CarriedValue, isParameter } from "./update-parameters.ts";

/** Updates of a step, some of which are masked. */
interface MaskedUpdates {
  /** Updates in their order. */
  readonly updates: readonly CarriedValue[];
  /** Data inputs for the masks, by parameter. */
  readonly weightMasks: ReadonlyMap<string, string>;
}

/**
 * Sets elements of updated parameters to zero by masks, which the step takes as data inputs. The choice
 * between the element and zero keeps all other bits, and needs no multiplication of a number that is not
 * finite.
 * @param names - names of parameters that are masked, if they are among the updates
 */
export function maskUpdates(
  builder: GraphBuilder,
  graph: Graph,
  updates: readonly CarriedValue[],
  names: readonly string[],
): MaskedUpdates {
  const weightMasks = new Map<string, string>();
  const masked = updates.map((update): CarriedValue => {
    const { input, output } = update;
    if (output === undefined || !isParameter(update) || !names.includes(input.name)) return update;
    const name = unusedName(graph, `mask(${input.name})`);
    const mask = builder.input(name, { dtype: "bool", shape: input.shape });
    weightMasks.set(input.name, name);
    return { ...update, output: where(mask, output, 0) };
  });
  return { updates: masked, weightMasks };
}
