import { InputError } from "@isthmus/core";
import type { Variables } from "@isthmus/forms";
import type { DataSet } from "@isthmus/graph";
import { pathsOf } from "@isthmus/tasks";
import { z } from "zod";
import { NAMED_DATA } from "../../file/entry-fields.ts";
import { filesOfAll, type PlannedNetwork } from "../../plan/planned-network.ts";
import { agree, networksOf, type PlannedGroups } from "../../plan/select-networks.ts";
import type { TaskData } from "../../tasks/task-kind.ts";
import { TASK_DATA } from "../../tasks/task-schema.ts";
import { examplesOpener, withCheckpoints } from "../open-shared.ts";
import type { SubjectForm } from "../subject-form.ts";
import { CELL_SELECTION, type CellSelection, planEachCell } from "./networks.ts";

/** Networks that predict together, and the data and networks that they are compared with. */
export interface EnsembleSelection extends CellSelection {
  /** Name of the examples that a greedy ensemble is chosen on. @defaultValue none is chosen */
  readonly selectionData?: string;
  /** Names of other data that predictions should be unsure of. @defaultValue none */
  readonly others?: readonly string[];
  /** Name of the examples that batch norms of means are measured on. @defaultValue the first of `data` */
  readonly statisticsData?: string;
  /** Name of a group of stars of these networks, which predict, too, with the networks on their rays. */
  readonly star?: string;
}

/** How studies select and open networks that predict together, and the star of them. */
export const ENSEMBLE_FORM: SubjectForm<
  "ensemble",
  EnsembleSelection,
  { readonly others: readonly TaskData[] }
> = {
  selection: {
    ...CELL_SELECTION,
    others: z.array(NAMED_DATA).optional(),
    statisticsData: NAMED_DATA.optional(),
    star: z.string().optional(),
  },
  params: { data: TASK_DATA, others: z.array(TASK_DATA) },
  paths: [],
  plan(planned) {
    const { measurement, entry, context } = planned;
    const { of, others = [], star: stars } = entry;
    return planEachCell(
      planned,
      async (open) => ({ others: await Promise.all(others.map(open)) }),
      ({ variables, networks }) => {
        const star = stars === undefined ? undefined : findStar(stars, variables, context.groups);
        return {
          inputs: { ...filesOfAll(networks), ...(star && { star: [star.weights] }) },
          label: `${measurement.attempt} of ${networks.length} ${of}, ${entry.data}`,
        };
      },
    );
  },
  open(opening, work) {
    const { ports, params, inputs } = opening;
    const members = pathsOf(inputs, "networks");
    const { star = [] } = inputs;
    const paths = [...members, ...star];
    return withCheckpoints(opening, paths, async (networks, shared) => {
      const open = examplesOpener(ports, shared.graph);
      const others: DataSet[] = [];
      for (const other of params.others) others.push(await open(other));
      const named = networks.map((network, i) => ({ ...network, source: `network ${i + 1}` }));
      return work({
        ...shared,
        networks: named.slice(0, members.length),
        star: named[members.length],
        others,
      });
    });
  },
};

/** Finds the star of a group that agrees with the variables of networks that predict together. */
function findStar(group: string, variables: Variables, groups: PlannedGroups): PlannedNetwork {
  const stars = networksOf(groups, group).filter((star) => agree(star.variables, variables));
  const [star] = stars;
  if (star !== undefined && stars.length === 1) return star;
  throw new InputError(
    `Cannot plan the study as one network "${group}" must agree with the networks of each ensemble: ${stars.length} do`,
    { input: group },
  );
}
