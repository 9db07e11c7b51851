import { at, type Checkpoint } from "@isthmus/core";
import type { MergePlan } from "@isthmus/merging";
import { openBound } from "@isthmus/zoo";
import { readingOf } from "../open/reading-of.ts";
import type { Context } from "../verb.ts";
import type { MergeOptions } from "./merge-options.ts";
import { type BarrierGate, requireBarrier } from "./require-barrier.ts";

/**
 * Measures the barriers between the networks that a plan merges, if `--require-barrier` asks for it; a base
 * that networks are only compared with is left out.
 * | @param paths - paths of each network of the plan, for its architecture
 * @returns undefined without `--require-barrier`
 */
export async function gateRecipe(
  plan: MergePlan,
  paths: readonly string[],
  options: MergeOptions,
  context: Context,
): Promise<BarrierGate | undefined> {
  if (options.requireBarrier === undefined) return undefined;
  const positions = mergedNetworks(plan);
  const networks = positions.map((position): Checkpoint => at(plan.networks, position, "network"));
  const merged = positions.map((position) => at(paths, position, "path"));
  const reading = await readingOf(options, context);
  const { architecture, examples } = await openBound(merged, networks, { data: options.data }, reading);
  const bound = architecture.networks.map(({ network }) => network);
  const opened = { architecture, networks: bound, data: examples.get("data") };
  return requireBarrier(bound, opened, options, context);
}

/** Lists the positions of the networks that some tensor is made from. */
function mergedNetworks({ networks, tensors }: MergePlan): readonly number[] {
  const merged = new Set(
    [...tensors.values()].flatMap(({ sources }) => sources.map(({ network }) => network)),
  );
  return [...networks.keys()].filter((position) => merged.has(position));
}
