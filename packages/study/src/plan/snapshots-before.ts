import { InputError } from "@isthmus/core";
import { canonicalJson } from "@isthmus/tasks";
import type { LandscapeSelection } from "../description/network-measurement.ts";
import type { PlannedNetwork } from "./planned-network.ts";

/**
 * Lists the snapshots of a network's training before it, in their order; of them the random weights alone for
 * a line from the initialization.
 * @param group - all networks that it is one of
 * @throws InputError if there are none
 */
export function snapshotsBefore(
  network: PlannedNetwork,
  group: readonly PlannedNetwork[],
  directions: LandscapeSelection["directions"],
): readonly PlannedNetwork[] {
  const run = runOf(network);
  const isBefore = (other: PlannedNetwork) => runOf(other) === run && epochsOf(other) < epochsOf(network);
  const before = group.filter(isBefore).sort((one, other) => epochsOf(one) - epochsOf(other));
  const snapshots =
    directions === "initialization" ? before.filter((other) => epochsOf(other) === 0) : before;
  if (snapshots.length > 0) return snapshots;
  const rule =
    directions === "initialization" ? "0 must be among its" : "there must be one before it among its";
  throw new InputError(
    `Cannot plan a landscape along the training of ${network.label} as ${rule} "snapshots": give the network such as [0, ${epochsOf(network)}], and measure "where: { epochs: ${epochsOf(network)} }"`,
    { input: network.label },
  );
}

/** What tells a training apart from others of its group. */
function runOf({ variables: { epochs: _, ...others } }: PlannedNetwork): string {
  return canonicalJson(others);
}

const epochsOf = ({ variables: { epochs } }: PlannedNetwork): number => Number(epochs);
