import { type Unfolded, unfold } from "@isthmus/forms";
import { fulfils } from "../description/fulfils.ts";
import type { RepeatedNetwork } from "../description/study-description.ts";
import type { WantedValues } from "../description/wanted-values.ts";
import type { AnyGroupMaker, Making, StartSort, Starts } from "../networks/group-maker.ts";
import { makerOf, type NetworkDescription } from "../networks/makers.ts";
import type { FindNetworks } from "./network-cells.ts";
import type { PlannedNetwork } from "./planned-network.ts";
import type { Planner } from "./planner.ts";
import { agree } from "./select-pairs.ts";
import { selectStarts } from "./select-starts.ts";

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
  readonly find: FindNetworks;
  readonly planner: Planner;
}

async function planEntry(
  group: string,
  { variables, entry }: Unfolded<NetworkDescription>,
  { find, planner }: Planning,
): Promise<readonly PlannedNetwork[]> {
  const maker = makerOf(entry);
  const networks: PlannedNetwork[] = [];
  for (const [number, start] of startsOf(maker, { group, variables, entry }, find).entries())
    networks.push(...(await maker.plan({ group, variables, entry, start, number, planner })));
  return networks;
}

/** Selects what the networks of an entry are made from: of one of them at a time, or of all together. */
function startsOf(
  { key, from }: AnyGroupMaker,
  { group, variables, entry }: Pick<Making<StartSort, object>, "group" | "variables" | "entry">,
  find: FindNetworks,
): readonly Starts[StartSort][] {
  if (from === "none") return [undefined];
  const { [key]: name, where } = entry as { readonly [key: string]: unknown; readonly where?: WantedValues };
  if (from === "each") return selectStarts(group, find, { from: String(name), where, variables });
  const isStart = (network: PlannedNetwork) =>
    agree(variables, network.variables) && fulfils((variable) => network.variables[variable], where ?? {});
  return [find(String(name)).filter(isStart)];
}
