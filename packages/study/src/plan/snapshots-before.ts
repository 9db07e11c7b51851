import { InputError } from "@isthmus/core";
import { canonicalJson, type TaskInputs } from "@isthmus/tasks";
import type { LandscapeSelection } from "../measurement/landscape-selection.ts";
import type { PlannedNetwork } from "./planned-network.ts";

/**
 * Returns the inputs of a task that measures a landscape along a training; none for other directions.
 * @param group - all networks that the network is one of
 * @throws InputError if there are no snapshots before it
 */
export function snapshotsFor(
  network: PlannedNetwork,
  group: readonly PlannedNetwork[],
  directions: LandscapeSelection["directions"],
): TaskInputs {
  if (directions !== "trajectory" && directions !== "initialization") return {};
  return { snapshots: snapshotsBefore(network, group, directions).map(({ weights }) => weights) };
}

/**
 * Lists the snapshots of a network's training before it, in their order; of them the random weights alone for
 * a line from the initialization.
 * @param group - all networks that it is one of
 * @throws InputError if there are none
 */
function snapshotsBefore(
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
