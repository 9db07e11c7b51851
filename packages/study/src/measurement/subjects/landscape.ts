import { at, InputError } from "@isthmus/core";
import { LANDSCAPE_KINDS, type LandscapeKind } from "@isthmus/curvature";
import { canonicalJson, pathOf } from "@isthmus/tasks";
import * as z from "zod";
import type { PlannedNetwork } from "../../plan/planned-network.ts";
import { networksOf } from "../../plan/select-networks.ts";
import { TASK_DATA } from "../../tasks/task-schema.ts";
import { withCheckpoints } from "../open-shared.ts";
import type { SubjectForm } from "../subject-form.ts";
import { NETWORK_SELECTION, type NetworkMeasurement, planEachNetwork } from "./network.ts";

/** Networks of a group, and the source of the directions of their landscapes. */
export interface LandscapeSelection extends NetworkMeasurement {
  /** Source of the directions: `trajectory` and `initialization` use snapshots of the same training. */
  readonly directions: Exclude<LandscapeKind, "networks">;
}

/** Way in which studies select and open a network with the snapshots that its landscape is laid along. */
export const LANDSCAPE_FORM: SubjectForm<"landscape", LandscapeSelection> = {
  selection: {
    ...NETWORK_SELECTION,
    // An entry has no names for the networks that directions could lead to.
    directions: z.enum(LANDSCAPE_KINDS).exclude(["networks"]),
  },
  params: { data: TASK_DATA },
  paths: [],
  plan(planned) {
    const { of, directions } = planned.entry;
    if (directions !== "trajectory" && directions !== "initialization") return planEachNetwork(planned);
    const group = networksOf(planned.context.groups, of);
    return planEachNetwork(planned, (network) => ({
      snapshots: snapshotsBefore(network, group, directions).map(({ weights }) => weights),
    }));
  },
  open: (opening, work) => {
    const { snapshots = [] } = opening.inputs;
    const paths = [pathOf(opening.inputs, "network"), ...snapshots];
    return withCheckpoints(opening, paths, (networks, shared) => {
      const named = networks.map((network, k) => ({ label: k === 0 ? "network" : `snapshot ${k}`, network }));
      return work({ ...shared, network: at(named, 0, "network"), others: named.slice(1) });
    });
  },
};

/**
 * Lists the snapshots of a network's training with fewer epochs than the network, in ascending order; for a
 * line from the initialization the random weights alone.
 * @param group - all networks of the group that the network is in
 * @throws InputError if there are no such snapshots
 */
function snapshotsBefore(
  network: PlannedNetwork,
  group: readonly PlannedNetwork[],
  directions: "trajectory" | "initialization",
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

/** Returns a key that tells a training apart from others of its group: all its variables but `epochs`. */
function runOf({ variables: { epochs: _, ...others } }: PlannedNetwork): string {
  return canonicalJson(others);
}

const epochsOf = ({ variables: { epochs } }: PlannedNetwork): number => Number(epochs);
