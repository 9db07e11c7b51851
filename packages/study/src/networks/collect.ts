import { choiceField, type FieldsOf, InputError } from "@isthmus/core";
import {
  COLLECT_NETWORKS_DEFAULTS,
  COLLECTION_FIELDS,
  type CollectionChoice,
  findStrayOption,
  isOneByOne,
  membersOf,
  planCollection,
  resolveRates,
  SIMPLEX_VERTICES_DEFAULTS,
} from "@isthmus/ensemble";
import { seed } from "@isthmus/forms";
import type { DataSet } from "@isthmus/graph";
import { stepsUntil, TRAIN_DEFAULTS } from "@isthmus/training";
import type { WantedValues } from "../description/wanted-values.ts";
import { NAMED_DATA } from "../file/entry-fields.ts";
import { filesOf, type PlannedNetwork } from "../plan/planned-network.ts";
import { trainOptionsOf } from "../plan/train-options.ts";
import { COLLECT_TASK, type CollectParams, collectedFile, MEAN_FILE } from "./collect-task.ts";
import { deriveNetwork, listNumbers, withMade } from "./derive-network.ts";
import type { GroupMaker } from "./group-maker.ts";
import { TRAINING_SHAPE, type TrainingChoice, type TrainingParams } from "./training-shape.ts";

/** What a study says of a collection. */
interface CollectChoice extends CollectionChoice {
  /**
   * All networks, or the mean of their weights alone, with the start counted; the mean is of `swa`, `fge` and
   * `lgv`. @defaultValue "networks"
   */
  readonly keep?: "networks" | "mean";
}

/**
 * Networks that are collected from networks of another group. Each has the variable `member`, from 1; with
 * `spro` the one they start from is a vertex, too, of the number 0. Options that are missing have the
 * defaults of `collectNetworks`, `bootstrapPosterior` or `simplexVertices`.
 */
export interface CollectedStudyNetwork extends CollectChoice, TrainingChoice {
  /** Name of the group of networks to start from, which must come before: each that agrees. */
  readonly collect: string;
  /** Only networks whose variables have these values. */
  readonly where?: WantedValues;
  readonly method: NonNullable<CollectionChoice["method"]>;
  /** Name of the examples to train on. */
  readonly data: string;
  /** Seed of the order of examples, and of what is drawn. */
  readonly seed: number;
}

const FIELDS: FieldsOf<CollectChoice> = {
  ...COLLECTION_FIELDS,
  keep: choiceField<"networks" | "mean">(["networks", "mean"], {
    default: "networks",
    help: "all networks, or the mean of their weights alone",
  }),
};

/** Collects networks of one. */
export const COLLECT: GroupMaker<"each", CollectedStudyNetwork, CollectChoice> = {
  key: "collect",
  from: "each",
  options: FIELDS,
  required: ["method"],
  beside: { ...TRAINING_SHAPE, data: NAMED_DATA, seed },
  task: COLLECT_TASK,
  async plan({ group, entry, start, variables, planner }) {
    const { data: name, method, keep } = entry;
    assertBelongs(group, entry);
    const inputNames = start.architecture.inputs.map((input) => input.name);
    const { data, description } = await planner.open(name, inputNames);
    const take = (count: number) => {
      if (keep !== "mean") planner.budget.take(`networks.${group}`, count - (method === "spro" ? 0 : 1));
    };
    const { params, count } = paramsOf(entry, start, { data, take });
    const label = `${start.label}, ${method}`;
    const { key: task } = planner.add(COLLECT_TASK, {
      params: { data: description, ...params },
      inputs: filesOf(start),
      label: `collect from ${label}`,
    });
    const made = { trainedOn: name, start: start.weights, task };
    if (keep === "mean") {
      return [deriveNetwork({ start, variables }, { ...made, label, file: MEAN_FILE })];
    }
    const ofMember = (member: number) => ({
      start,
      variables: withMade({ group, variables }, "member", member),
    });
    const collected = listNumbers(1, count).map((member) => {
      const file = collectedFile(member);
      return deriveNetwork(ofMember(member), { ...made, label: `${label} ${member}`, file });
    });
    if (method !== "spro") return collected;
    return [{ ...start, variables: { ...start.variables, ...ofMember(0).variables } }, ...collected];
  },
};

function assertBelongs(group: string, entry: CollectedStudyNetwork): void {
  const { method, keep, schedule } = entry;
  const ofOthers = isOneByOne(method) ? { keep } : { schedule };
  const named = Object.entries(ofOthers).find(([, value]) => value !== undefined);
  const wrong = findStrayOption(method, entry) ?? named?.[0];
  if (wrong === undefined) return;
  throw new InputError(
    `Cannot plan "networks.${group}" of the study as "${wrong}" does not belong to networks by ${method}: leave it out`,
    { input: group },
  );
}

/**
 * Lists every option that decides the bytes, defaults included, and counts the networks.
 * @param take - is told about how many there are before they are listed, and may throw
 */
function paramsOf(
  entry: CollectedStudyNetwork,
  { architecture }: PlannedNetwork,
  { data, take }: { readonly data: DataSet; readonly take: (count: number) => void },
): { readonly params: Omit<CollectParams, "data">; readonly count: number } {
  const { method, concentration = 0, volume = SIMPLEX_VERTICES_DEFAULTS.volume } = entry;
  if (isOneByOne(method)) {
    const { epochs = TRAIN_DEFAULTS.epochs } = entry;
    const members = membersOf(method, entry.members);
    take(members);
    const options = trainOptionsOf(trainingOf(entry, { epochs }), architecture, data);
    const chosen = method === "spro" ? { volume } : { concentration };
    return { params: { method, members, ...chosen, options }, count: members };
  }
  const rates = resolveRates(method, entry);
  take(Math.max(1, Math.floor(rates.epochs / rates.cycle)));
  const training = trainingOf(entry, { epochs: rates.epochs, ...COLLECT_OPTIMIZER });
  const { schedule: _, epochs: __, ...options } = trainOptionsOf(training, architecture, data);
  const { batch = TRAIN_DEFAULTS.batch, remainder = TRAIN_DEFAULTS.remainder } = options;
  const steps = stepsUntil(rates.epochs, { examples: data.size, batch, remainder });
  const { lowRate, ...others } = rates;
  return {
    params: { method, rates: { ...others, ...(lowRate !== undefined && { lowRate }) }, options },
    count: planCollection(method, rates, steps).steps.length,
  };
}

/** The optimizer of collections along a training, if none is named. */
const COLLECT_OPTIMIZER = { optimizer: COLLECT_NETWORKS_DEFAULTS.optimizer };

/** Returns what an entry says of the training of its networks. */
function trainingOf(
  { seed: drawn, ...entry }: CollectedStudyNetwork,
  usual: Pick<TrainingParams, "optimizer"> & { readonly epochs: number },
): Parameters<typeof trainOptionsOf>[0] {
  const { batch, loss, optimizer, schedule, augment } = entry;
  const named = Object.entries({ batch, loss, optimizer, schedule, augment });
  const chosen = Object.fromEntries(named.filter(([, value]) => value !== undefined));
  return { seed: drawn, ...usual, ...chosen };
}
