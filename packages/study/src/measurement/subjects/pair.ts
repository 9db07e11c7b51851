import { at, type Checkpoint } from "@isthmus/core";
import type { Subjects } from "@isthmus/findings";
import { text } from "@isthmus/forms";
import type { DataSet } from "@isthmus/graph";
import * as z from "zod";
import type { AlignChoice, PairSelection } from "../../description/pair-selection.ts";
import type { PathMeasurement, SetsMeasurement } from "../../description/path-measurements.ts";
import { NAMED_DATA } from "../../file/entry-fields.ts";
import { planAlignment } from "../../plan/plan-alignment.ts";
import type { PlannedMeasurement } from "../../plan/planned-measurement.ts";
import { type PlannedPair, selectPairs } from "../../plan/select-networks.ts";
import { PAIR_SELECTION } from "../../schema/pair-selection.ts";
import { type OpenPair, openPair } from "../../tasks/open-pair.ts";
import type { TaskData } from "../../tasks/task-kind.ts";
import { TASK_DATA } from "../../tasks/task-schema.ts";
import { openParams } from "../entry-params.ts";
import { examplesOpener, type Opening, openShared } from "../open-shared.ts";
import type { PlannedEntry, SubjectForm } from "../subject-form.ts";

/**
 * Selection of pairs of networks that may differ in their architectures, and of the examples to measure on.
 */
export type UnlikePairMeasurement = Omit<PathMeasurement, "statisticsData">;

/** Way in which studies select and open two networks of one architecture. */
export const PAIR_FORM: SubjectForm<"pair", PathMeasurement> = {
  selection: { ...PAIR_SELECTION, data: NAMED_DATA },
  params: { data: TASK_DATA },
  paths: ["a", "b"],
  plan: planPairs,
  open: withPair,
};

const { statisticsData: _, ...unlike } = PAIR_FORM.selection;

/** Way in which studies select and open two networks that may differ in their architectures. */
export const UNLIKE_PAIR_FORM: SubjectForm<"unlike-pair", UnlikePairMeasurement> = {
  ...PAIR_FORM,
  selection: unlike,
  open: (opening, work) =>
    withPair(opening, ({ graph, engine, a, b, ...shared }) => {
      const withArchitecture = (network: Checkpoint) => ({ graph, engine, network });
      return work({ ...shared, a: withArchitecture(a), b: withArchitecture(b) });
    }),
};

/** Way in which studies select and open two networks of one architecture, and several sets of examples. */
export const PAIR_ON_SETS_FORM: SubjectForm<
  "pair-on-sets",
  SetsMeasurement,
  { readonly sets: readonly TaskSet[] }
> = {
  selection: {
    ...PAIR_SELECTION,
    sets: z.record(z.string(), NAMED_DATA).refine((sets) => Object.keys(sets).length > 0, {
      error: "must have a set of examples or more",
    }),
  },
  params: { sets: z.array(z.strictObject({ name: text, data: TASK_DATA })).min(1) },
  paths: ["a", "b"],
  plan: planPairs,
  open: (opening, work) =>
    withPair(opening, async (pair) => {
      const open = examplesOpener(opening.ports, pair.graph);
      const sets: Record<string, DataSet> = {};
      for (const { name, data } of opening.params.sets) sets[name] = await open(data);
      return work({ ...pair, sets });
    }),
};

/** A set of examples as a task names it. */
interface TaskSet {
  readonly name: string;
  readonly data: TaskData;
}

/** Plans one task for each pair that an entry selects, after the alignment that it asks for. */
export async function planPairs(
  planned: PlannedEntry<PairSelection>,
): Promise<readonly PlannedMeasurement[]> {
  const { task, entry, on, context } = planned;
  const { planner, variables } = context;
  const pairs = selectPairs(context.groups, entry);
  const params = await openParams(
    planned,
    pairs.map(({ a }) => a),
  );
  const measured: PlannedMeasurement[] = [];
  for (const [index, pair] of pairs.entries()) {
    const { key } = planner.add(task, {
      params: at(params, index, "pair"),
      inputs: await planAlignment(pair, entry, planner),
      label: `${labelOf(planned, pair)}${on}`,
    });
    measured.push({ variables: { ...pair.variables, ...variables }, task: key });
  }
  return measured;
}

/** Returns the label of the task that measures a pair. */
function labelOf(
  { measurement: { attempt, trains }, entry }: PlannedEntry<PairSelection>,
  { a, b }: PlannedPair,
): string {
  if (trains !== undefined) return `${attempt} from ${a.label} to ${b.label}`;
  return `${entry.kind} of ${a.label} and ${b.label}${MANNERS[entry.align ?? "none"]}`;
}

/** Part of a label that says how the second network of a pair is aligned to the first. */
const MANNERS: Readonly<Record<AlignChoice, string>> = {
  none: "",
  weight: ", aligned",
  activation: ", aligned by activations",
  learned: ", aligned by learning",
};

/** Opens the two networks of a task with its examples, works with them, and closes them. */
function withPair<T>(opening: Opening, work: (pair: Subjects["pair"]) => Promise<T>): Promise<T> {
  return withTwo(opening, async ({ graph, ...pair }) =>
    work({ ...(await openShared(opening, graph)), ...pair, end: pair.b }),
  );
}

/** Opens the two networks of a task, works with them, and closes them. */
export async function withTwo<T>(
  { ports, inputs }: Opening,
  work: (pair: OpenPair["networks"]) => Promise<T>,
): Promise<T> {
  const { networks, close } = await openPair(inputs, ports.engine, ports.signal);
  try {
    return await work(networks);
  } finally {
    await close();
  }
}
