import { excerpt, InputError, resolveFields } from "@isthmus/core";
import type { NetworkMaker } from "@isthmus/findings";
import type { TaskInputs } from "@isthmus/tasks";
import { filesOf, filesOfAll, type PlannedNetwork } from "../plan/planned-network.ts";
import type { StudyTaskKind, TaskData } from "../tasks/task-kind.ts";
import { deriveNetwork, keyedOf } from "./derive-network.ts";
import type { Making, StartSort } from "./group-maker.ts";

/** Returns whether a maker asks for examples. */
export const hasExamples = ({ examples }: NetworkMaker): boolean => Object.keys(examples).length > 0;

/** Plans the network that a maker makes of one start. */
export async function planMade(
  maker: NetworkMaker,
  task: StudyTaskKind<Readonly<Record<string, unknown>>>,
  making: Making<StartSort, object>,
): Promise<readonly PlannedNetwork[]> {
  const { entry, variables, planner } = making;
  const { like, inputs, labelled } = startOf(maker, making);
  const inputNames = like.architecture.inputs.map((input) => input.name);
  const named = namedExamples(maker, entry);
  const data: Record<string, TaskData> = {};
  for (const [name, source] of Object.entries(named))
    data[name] = (await planner.open(source, inputNames)).description;
  const namedOptions = Object.entries(entry).filter(([name]) => name in maker.options);
  const chosen = resolveFields(maker.attempt, maker.options, Object.fromEntries(namedOptions));
  const options = keyedOf(maker.options, entry);
  const label = labelled(maker.labelOf(chosen, named));
  const params = hasExamples(maker) ? { ...data, options } : options;
  const { key } = planner.add(task, { params, inputs, label: `${maker.does} ${label}` });
  const [trainedOn] = Object.entries(named).flatMap(([name, source]) =>
    maker.examples[name]?.isTrainedOn ? [source] : [],
  );
  const made = { label, task: key, ...(trainedOn !== undefined && { trainedOn }) };
  return [deriveNetwork({ start: like, variables }, made)];
}

/** Networks that a network is made from, and the properties that it takes over from them. */
interface PlannedStart {
  /** Network whose properties it takes over, but for the weights. */
  readonly like: PlannedNetwork;
  readonly inputs: TaskInputs;
  /** Returns its label, from the label that the maker gives to its change. */
  readonly labelled: (made: string) => string;
}

/**
 * Returns the networks that a network is made from: one of a group, or all of them together.
 * @throws InputError if no network agrees with the entry
 */
function startOf(
  { name }: NetworkMaker,
  { group, variables, entry, start }: Making<StartSort, object>,
): PlannedStart {
  const networks = start === undefined ? [] : [start].flat();
  const [first] = networks;
  if (first === undefined) {
    throw new InputError(
      `Cannot plan "networks.${group}" of the study as there must be networks to make it of: none agrees with ${excerpt(variables, 200)}`,
      { input: group },
    );
  }
  if (!Array.isArray(start)) {
    return { like: first, inputs: filesOf(first), labelled: (made) => `${first.label}, ${made}` };
  }
  const { rewinds: _, start: __, ...like } = first;
  const from = new Map<string, unknown>(Object.entries(entry)).get(name);
  const values = Object.entries(variables).map((pair) => `, ${pair.join(" ")}`);
  return {
    like: { ...like, variables: {} },
    inputs: filesOfAll(networks),
    labelled: (made) => `${made}, of ${networks.length} ${from}${values.join("")}`,
  };
}

/** Returns the examples that an entry names, by the names that the maker has for them. */
function namedExamples({ examples }: NetworkMaker, entry: object): Readonly<Record<string, string>> {
  const values = new Map<string, unknown>(Object.entries(entry));
  const named = Object.keys(examples).filter((name) => values.get(name) !== undefined);
  return Object.fromEntries(named.map((name) => [name, String(values.get(name))]));
}
