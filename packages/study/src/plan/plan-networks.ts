import { type Unfolded, unfold } from "@isthmus/forms";
import type { RepeatedNetwork } from "../description/study-description.ts";
import { fulfils, type WantedValues } from "../description/wanted-values.ts";
import type { AnyGroupMaker, Making, StartSort, Starts } from "../networks/group-maker.ts";
import { makerOf, type NetworkDescription } from "../networks/makers.ts";
import type { PlannedNetwork } from "./planned-network.ts";
import type { Planner } from "./planner.ts";
import { agree, networksOf, type PlannedGroups, selectStarts } from "./select-networks.ts";

/**
 * Plans all networks of a group.
 * @throws InputError if a network cannot be built for its data, a file is missing, or a star has no anchors
 */
export async function planNetworks(
  group: string,
  repeated: RepeatedNetwork,
  planning: Planning,
): Promise<readonly PlannedNetwork[]> {
  const networks: PlannedNetwork[] = [];
  for (const unfolded of unfold<NetworkDescription>({ name: `networks.${group}`, of: "study" }, repeated))
    networks.push(...(await planEntry(group, unfolded, planning)));
  return networks;
}

/** Groups that stand before, and what collects tasks. */
interface Planning {
  readonly groups: PlannedGroups;
  readonly planner: Planner;
}

async function planEntry(
  group: string,
  { variables, entry }: Unfolded<NetworkDescription>,
  { groups, planner }: Planning,
): Promise<readonly PlannedNetwork[]> {
  const maker = makerOf(entry);
  const networks: PlannedNetwork[] = [];
  for (const [number, start] of startsOf(maker, { group, variables, entry }, groups).entries())
    networks.push(...(await maker.plan({ group, variables, entry, start, number, planner })));
  return networks;
}

/** Selects what the networks of an entry are made from: of one of them at a time, or of all together. */
function startsOf(
  { key, from }: AnyGroupMaker,
  { group, variables, entry }: Pick<Making<StartSort, object>, "group" | "variables" | "entry">,
  groups: PlannedGroups,
): readonly Starts[StartSort][] {
  if (from === "none") return [undefined];
  const { [key]: name, where } = entry as { readonly [key: string]: unknown; readonly where?: WantedValues };
  if (from === "each") return selectStarts(group, groups, { from: String(name), where, variables });
  const isStart = (network: PlannedNetwork) =>
    agree(variables, network.variables) && fulfils((variable) => network.variables[variable], where ?? {});
  return [networksOf(groups, String(name)).filter(isStart)];
}
