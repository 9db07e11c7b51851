import { type CheckNetworksOptions, checkNetworks } from "../compare/check-networks.ts";
import type { MergeFinding } from "../compare/findings/merge-finding.ts";
import type { OpenedRecipe } from "./open-recipe.ts";

/**
 * Checks the networks of an opened recipe before they are merged, see {@link checkNetworks}; adapters that
 * are merged with each other are not checked.
 * @returns the warnings
 * @throws InputError if the merge would surely be meaningless
 */
export async function checkOpened(
  opened: OpenedRecipe,
  options: Omit<CheckNetworksOptions, "paths"> = {},
): Promise<readonly MergeFinding[]> {
  if (opened.adapter !== undefined) return [];
  return checkNetworks(opened.plan, { ...options, paths: networkPaths(opened) });
}

/**
 * Returns the paths of the files or folders of a plan's networks, which hold further files beside the
 * weights.
 */
export function networkPaths({ plan, models: { inputs } }: OpenedRecipe): readonly string[] {
  return plan.networks.map(
    ({ source }) => inputs.find(({ network }) => network.source === source)?.directory ?? source,
  );
}
