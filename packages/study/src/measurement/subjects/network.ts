import { at } from "@isthmus/core";
import { batch } from "@isthmus/forms";
import { pathOf, type TaskInputs } from "@isthmus/tasks";
import * as z from "zod";
import type { WantedValues } from "../../description/wanted-values.ts";
import { NAMED_DATA, WHERE } from "../../file/entry-fields.ts";
import type { PlannedMeasurement } from "../../plan/planned-measurement.ts";
import { filesOf, type PlannedNetwork } from "../../plan/planned-network.ts";
import { selectNetworks } from "../../plan/select-networks.ts";
import { TASK_DATA } from "../../tasks/task-schema.ts";
import { openParams } from "../entry-params.ts";
import { withCheckpoints } from "../open-shared.ts";
import type { PlannedEntry, SubjectForm } from "../subject-form.ts";

/** Networks of a group. */
export interface NetworkSelection {
  /** Name of the group of networks. */
  readonly of: string;
  /** Only networks whose variables have these values. */
  readonly where?: WantedValues;
}

/** Networks of a group that are measured one by one, and the examples to measure on. */
export interface NetworkMeasurement extends NetworkSelection {
  /** Name of the examples to measure on. */
  readonly data: string;
  /** Examples in one engine call: more are faster for small networks. */
  readonly batchSize?: number;
}

/** Schemas of the keys of an entry that select networks of a group. */
export const GROUP_SELECTION: z.ZodRawShape = { of: z.string(), where: WHERE.optional() };

/** Schemas of the keys of an entry that select networks of a group and the examples to measure on. */
export const NETWORK_SELECTION: z.ZodRawShape = {
  ...GROUP_SELECTION,
  data: NAMED_DATA,
  batchSize: batch.optional(),
};

/** Way in which studies select and open one network at a time. */
export const NETWORK_FORM: SubjectForm<"network", NetworkMeasurement> = {
  selection: NETWORK_SELECTION,
  params: { data: TASK_DATA },
  paths: ["network"],
  plan: (planned) => planEachNetwork(planned),
  open: (opening, work) =>
    withCheckpoints(opening, [pathOf(opening.inputs, "network")], (networks, shared) =>
      work({ ...shared, network: at(networks, 0, "network") }),
    ),
};

/**
 * Plans one task for each network that an entry selects.
 * @param furtherOf - further files that the task of a network reads
 */
export async function planEachNetwork(
  planned: PlannedEntry<NetworkSelection & { readonly data?: string }>,
  furtherOf: (network: PlannedNetwork) => TaskInputs = () => ({}),
): Promise<readonly PlannedMeasurement[]> {
  const { task, entry, on, context } = planned;
  const { planner, variables } = context;
  const networks = selectNetworks(context.groups, entry.of, entry.where);
  const params = await openParams(planned, networks);
  return networks.map((network, index) => {
    const { key } = planner.add(task, {
      params: at(params, index, "network"),
      inputs: { ...filesOf(network), ...furtherOf(network) },
      label: `${entry.kind} of ${network.label}${on}`,
    });
    return { variables: { ...network.variables, ...variables }, task: key };
  });
}
