import { at, type Checkpoint } from "@isthmus/core";
import type { NamedSubject } from "@isthmus/findings";
import { pathsOf, type TaskInputs } from "@isthmus/tasks";
import * as z from "zod";
import type { PlannedMeasurement } from "../../plan/planned-measurement.ts";
import { filesOfAll, type PlannedNetwork } from "../../plan/planned-network.ts";
import { gatherCells, type NetworkCell, selectNetworks } from "../../plan/select-networks.ts";
import type { TaskData } from "../../tasks/task-kind.ts";
import { TASK_DATA } from "../../tasks/task-schema.ts";
import { dataOpener, openParams } from "../entry-params.ts";
import { withCheckpoints } from "../open-shared.ts";
import type { PlannedEntry, SubjectForm } from "../subject-form.ts";
import {
  GROUP_SELECTION,
  NETWORK_SELECTION,
  type NetworkMeasurement,
  type NetworkSelection,
} from "./network.ts";

/** Networks of a group that differ in one variable only. */
export interface CellOfGroup extends NetworkSelection {
  /** The variable in which networks that are measured together differ. @defaultValue "seed" */
  readonly across?: string;
}

/** Networks of a group that differ in one variable only, which are measured together. */
export interface CellSelection extends CellOfGroup, NetworkMeasurement {}

/** An entry of networks that are measured together, whether they are measured on examples or not. */
type PlannedCells = PlannedEntry<CellOfGroup & { readonly data?: string }>;

/**
 * Schemas of the keys of an entry that select networks to measure together, and the examples to measure on.
 */
export const CELL_SELECTION: z.ZodRawShape = { ...NETWORK_SELECTION, across: z.string().optional() };

/** Schemas of the keys of an entry that select networks to measure together without examples. */
export const CELL_OF_GROUP: z.ZodRawShape = { ...GROUP_SELECTION, across: z.string().optional() };

/** Way in which studies select and open several networks of one architecture. */
export const NETWORKS_FORM: SubjectForm<"networks", CellSelection> = {
  selection: CELL_SELECTION,
  params: { data: TASK_DATA },
  paths: ["networks"],
  plan: planCells,
  open: (opening, work) =>
    withCheckpoints(opening, pathsOf(opening.inputs, "networks"), (networks, shared) =>
      work({ ...shared, networks: nameInOrder(networks) }),
    ),
};

/** Networks that are measured together, and their variables. */
export interface PlannedCell extends Pick<NetworkCell, "variables"> {
  /** Networks of one group, in the order of the variable in which they differ. */
  readonly networks: readonly PlannedNetwork[];
}

/** Plans one task for the networks of each cell of a group; the task reads no other files. */
export function planCells(planned: PlannedCells): Promise<readonly PlannedMeasurement[]> {
  return planEachCell(
    planned,
    async () => ({}),
    (cell) => partsOfCell(planned, cell),
  );
}

/** Returns the files that the task of a cell reads, and its label. */
export function partsOfCell(
  { entry, on }: PlannedCells,
  { networks }: PlannedCell,
): { readonly inputs: TaskInputs; readonly label: string } {
  const label = `${entry.kind} of ${networks.length} ${entry.of}${on}`;
  return { inputs: filesOfAll(networks), label };
}

/** Names networks by their numbers. */
export const nameInOrder = (networks: readonly Checkpoint[]): readonly NamedSubject[] =>
  networks.map((network, index) => ({ label: `network ${index + 1}`, network }));

/**
 * Names networks by their numbers, which also replace their paths, so that results hold no path of this
 * machine.
 */
export const nameByNumber = (networks: readonly Checkpoint[]): readonly NamedSubject[] =>
  nameInOrder(networks).map(({ label, network }) => ({ label, network: { ...network, source: label } }));

/**
 * Plans one task for the networks of each cell of a group.
 * @param furtherParams - opens further examples, and returns the parameters that name the subject
 * @param partsOf - returns the files that the task of a cell reads, and its label
 * @throws InputError if there are no networks, or data do not fit them
 */
export async function planEachCell(
  planned: PlannedCells,
  furtherParams: (open: (name: string) => Promise<TaskData>) => Promise<object>,
  partsOf: (cell: PlannedCell) => { readonly inputs: TaskInputs; readonly label: string },
): Promise<readonly PlannedMeasurement[]> {
  const { task, entry, context } = planned;
  const { of, where, across = "seed" } = entry;
  const cells = gatherCells(of, selectNetworks(context.groups, of, where), across).map(
    ({ variables, members }) => ({ variables, networks: members.map(({ network }) => network) }),
  );
  const networks = cells.flatMap((cell) => cell.networks);
  const params = {
    ...at(await openParams(planned, networks), 0, "network"),
    ...(await furtherParams(dataOpener(planned, networks))),
  };
  return cells.map((cell) => {
    const { key } = context.planner.add(task, { params, ...partsOf(cell) });
    return { variables: { ...cell.variables, ...context.variables }, task: key };
  });
}
