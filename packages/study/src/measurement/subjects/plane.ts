import { at, InputError } from "@isthmus/core";
import { pathsOf } from "@isthmus/tasks";
import { TASK_DATA } from "../../tasks/task-schema.ts";
import { withCheckpoints } from "../open-shared.ts";
import type { SubjectForm } from "../subject-form.ts";
import {
  CELL_SELECTION,
  type CellSelection,
  nameByNumber,
  type PlannedCell,
  partsOfCell,
  planEachCell,
} from "./networks.ts";
import type { StarredSelection } from "./networks-and-star.ts";

/**
 * Networks of a group that differ in one variable only: the plane goes through the first three, and the
 * others are placed in it.
 */
export type PlaneSelection = CellSelection & Pick<StarredSelection, "statisticsData">;

/** Way in which studies select and open three networks of a plane, and others that are placed in it. */
export const PLANE_FORM: SubjectForm<"plane", PlaneSelection> = {
  selection: CELL_SELECTION,
  params: { data: TASK_DATA },
  paths: [],
  plan: (planned) =>
    planEachCell(
      planned,
      async () => ({}),
      (cell) => {
        assertSpanning(planned.entry.of, cell);
        return partsOfCell(planned, cell);
      },
    ),
  open: (opening, work) =>
    withCheckpoints(opening, pathsOf(opening.inputs, "networks"), (networks, shared) => {
      const named = nameByNumber(networks);
      const modelOf = (index: number) => at(named, index, "network");
      const models = [modelOf(0), modelOf(1), modelOf(2)] as const;
      return work({ ...shared, models, placed: named.slice(models.length) });
    }),
};

function assertSpanning(group: string, { networks }: PlannedCell): void {
  if (networks.length >= 3) return;
  throw new InputError(
    `Cannot plan the study as a plane must go through three networks "${group}" that differ in one variable only ("across"): there are ${networks.length}`,
    { input: group },
  );
}
