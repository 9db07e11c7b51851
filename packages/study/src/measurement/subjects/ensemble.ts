import type { DataSet } from "@isthmus/graph";
import * as z from "zod";
import { NAMED_DATA } from "../../file/entry-fields.ts";
import type { TaskData } from "../../tasks/task-kind.ts";
import { TASK_DATA } from "../../tasks/task-schema.ts";
import { examplesOpener } from "../open-shared.ts";
import type { SubjectForm } from "../subject-form.ts";
import { planEachCell } from "./networks.ts";
import {
  filesOfStarred,
  STARRED_SELECTION,
  type StarredSelection,
  withStarred,
} from "./networks-and-star.ts";

/** Networks that predict together, and the data and networks that they are compared with. */
export interface EnsembleSelection extends StarredSelection {
  /** Name of the examples that a greedy ensemble is chosen on. @defaultValue none is chosen */
  readonly selectionData?: string;
  /** Names of other data that predictions should be unsure of. @defaultValue none */
  readonly others?: readonly string[];
}

/** Way in which studies select and open networks that predict together, and their star. */
export const ENSEMBLE_FORM: SubjectForm<
  "ensemble",
  EnsembleSelection,
  { readonly others: readonly TaskData[] }
> = {
  selection: {
    ...STARRED_SELECTION,
    others: z.array(NAMED_DATA).optional(),
    statisticsData: NAMED_DATA.optional(),
  },
  params: { data: TASK_DATA, others: z.array(TASK_DATA) },
  paths: [],
  plan(planned) {
    const { measurement, entry } = planned;
    const { of, others = [] } = entry;
    return planEachCell(
      planned,
      async (open) => ({ others: await Promise.all(others.map(open)) }),
      (cell) => ({
        inputs: filesOfStarred(planned, cell),
        label: `${measurement.attempt} of ${cell.networks.length} ${of}, ${entry.data}`,
      }),
    );
  },
  open: (opening, work) =>
    withStarred(opening, async ({ networks, ...subject }) => {
      const open = examplesOpener(opening.ports, subject.graph);
      const others: DataSet[] = [];
      for (const other of opening.params.others) others.push(await open(other));
      return work({ ...subject, networks: networks.map(({ network }) => network), others });
    }),
};
