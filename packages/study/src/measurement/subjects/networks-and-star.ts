import { InputError } from "@isthmus/core";
import type { Subjects } from "@isthmus/findings";
import type { Variables } from "@isthmus/forms";
import { pathsOf, type TaskInputs } from "@isthmus/tasks";
import * as z from "zod";
import { filesOfAll, type PlannedNetwork } from "../../plan/planned-network.ts";
import { agree, networksOf, type PlannedGroups } from "../../plan/select-networks.ts";
import { TASK_DATA } from "../../tasks/task-schema.ts";
import { type Opening, withCheckpoints } from "../open-shared.ts";
import type { PlannedEntry, SubjectForm } from "../subject-form.ts";
import {
  CELL_SELECTION,
  type CellSelection,
  nameByNumber,
  type PlannedCell,
  partsOfCell,
  planEachCell,
} from "./networks.ts";

/** Networks of a group that differ in one variable only, and the star of them. */
export interface StarredSelection extends CellSelection {
  /** Name of the examples that statistics of norms are measured on. @defaultValue the first of `data` */
  readonly statisticsData?: string;
  /** Name of a group of stars, one of which must agree with these networks. @defaultValue no star */
  readonly star?: string;
}

/** Schemas of the keys of an entry that select networks, their star, and the examples to measure on. */
export const STARRED_SELECTION: z.ZodRawShape = { ...CELL_SELECTION, star: z.string().optional() };

/** Way in which studies select and open several networks of one architecture, and their star. */
export const NETWORKS_AND_STAR_FORM: SubjectForm<"networks-and-star", StarredSelection> = {
  selection: STARRED_SELECTION,
  params: { data: TASK_DATA },
  paths: [],
  plan: (planned) =>
    planEachCell(
      planned,
      async () => ({}),
      (cell) => ({ ...partsOfCell(planned, cell), inputs: filesOfStarred(planned, cell) }),
    ),
  open: (opening, work) => withStarred(opening, work),
};

/** Lists the files of networks that are measured together, and of the star that the entry names. */
export function filesOfStarred(
  { entry: { star: stars }, context }: PlannedEntry<StarredSelection>,
  { variables, networks }: PlannedCell,
): TaskInputs {
  const star = stars === undefined ? undefined : findStar(stars, variables, context.groups);
  return { ...filesOfAll(networks), ...(star && { star: [star.weights] }) };
}

/** Finds the star of a group that agrees with the variables of networks that are measured together. */
function findStar(group: string, variables: Variables, groups: PlannedGroups): PlannedNetwork {
  const stars = networksOf(groups, group).filter((star) => agree(star.variables, variables));
  const [star] = stars;
  if (star !== undefined && stars.length === 1) return star;
  throw new InputError(
    `Cannot plan the study as one network "${group}" must agree with all networks that are measured together: ${stars.length} do`,
    { input: group },
  );
}

/** Opens the networks of a task and the star of them, under names without paths. */
export function withStarred<P extends object, T>(
  opening: Opening<P>,
  work: (subject: Subjects["networks-and-star"]) => Promise<T>,
): Promise<T> {
  const members = pathsOf(opening.inputs, "networks");
  const { star = [] } = opening.inputs;
  return withCheckpoints(opening, [...members, ...star], (networks, shared) => {
    const named = nameByNumber(networks);
    return work({
      ...shared,
      networks: named.slice(0, members.length),
      star: named[members.length]?.network,
    });
  });
}
