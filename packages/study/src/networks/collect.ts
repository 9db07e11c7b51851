import { choiceField, type FieldsOf, InputError } from "@isthmus/core";
import {
  COLLECT_NETWORKS_DEFAULTS,
  COLLECT_RATES,
  COLLECTION_FIELDS,
  type CollectionChoice,
  type CollectRates,
  findStrayOption,
  isOneByOne,
  membersOf,
  planCollection,
  resolveRates,
  SIMPLEX_VERTICES_DEFAULTS,
} from "@isthmus/ensemble";
import { type Repeated, seed } from "@isthmus/forms";
import type { DataSet } from "@isthmus/graph";
import { stepsUntil, TRAIN_DEFAULTS } from "@isthmus/training";
import type { WantedValues } from "../description/wanted-values.ts";
import { NAMED_DATA } from "../file/entry-fields.ts";
import { filesOf, type PlannedNetwork } from "../plan/planned-network.ts";
import { trainOptionsOf } from "../plan/train-options.ts";
import { COLLECT_TASK, type CollectParams, collectedFile, MEAN_FILE } from "./collect-task.ts";
import { deriveNetwork, listNumbers, withMade } from "./derive-network.ts";
import type { GroupMaker, MadeVariable } from "./group-maker.ts";
import { TRAINING_SHAPE, type TrainingChoice, type TrainingParams } from "./training-shape.ts";

/** Options of a collection in an entry of a study. */
interface CollectChoice extends CollectionChoice {
  /**
   * Networks that the group holds: all of them, or only the mean of their weights, with the start counted;
   * `swa`, `fge` and `lgv` have a mean. @defaultValue "networks"
   */
  readonly keep?: "networks" | "mean";
}

/**
 * Networks that are collected from networks of another group. Each has the variable `member`, from 1; with
 * `spro` the network that they start from is a vertex, too, with the number 0. Options that are missing have
 * the defaults of `collectNetworks`, `bootstrapPosterior` or `simplexVertices`.
 */
export interface CollectedStudyNetwork extends CollectChoice, TrainingChoice {
  /**
   * Name of the group of networks to start from, which must come before this one: each network that agrees
   * with this entry is a start.
   */
  readonly collect: string;
  /** Only networks whose variables have these values. */
  readonly where?: WantedValues;
  /** Method by which networks are collected. */
  readonly method: NonNullable<CollectionChoice["method"]>;
  /** Name of the examples to train on. */
  readonly data: string;
  /** Seed of the order of examples, and of all random draws. */
  readonly seed: number;
}

const FIELDS: FieldsOf<CollectChoice> = {
  ...COLLECTION_FIELDS,
  keep: choiceField<"networks" | "mean">(["networks", "mean"], {
    default: "networks",
    help: "all networks, or the mean of their weights alone",
  }),
};

/** Maker of networks that are collected from one network. */
export const COLLECT: GroupMaker<"each", CollectedStudyNetwork, CollectChoice> = {
  key: "collect",
  from: "each",
  options: FIELDS,
  required: ["method"],
  beside: { ...TRAINING_SHAPE, data: NAMED_DATA, seed },
  task: COLLECT_TASK,
  made: listMembers,
  async plan({ group, entry, start, variables, planner }) {
    const { data: name, method, keep } = entry;
    assertBelongs(group, entry);
    const inputNames = start.architecture.inputs.map((input) => input.name);
    const { data, description } = await planner.open(name, inputNames);
    const { params, count } = paramsOf(entry, start, data);
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

/** Number of networks that is assumed for a collection if a variable decides it. */
const USUAL_MEMBERS = 10;

/**
 * Lists the numbers of the networks of a collection: exact ones if the description says how many there are,
 * estimates if that follows from the steps. Returns undefined for a group that holds the mean alone.
 */
function listMembers(entry: Repeated<CollectedStudyNetwork>): MadeVariable | undefined {
  const { method, keep, members, epochs, cycle } = entry;
  if (keep === "mean") return undefined;
  const usual = new Map<unknown, CollectRates>(Object.entries(COLLECT_RATES)).get(method);
  const [all, every] = [epochs ?? usual?.epochs, cycle ?? usual?.cycle];
  const isCounted = usual !== undefined && typeof all === "number" && typeof every === "number";
  const count = isCounted ? Math.max(1, Math.floor(all / every)) : Number(members ?? USUAL_MEMBERS);
  const last = Number.isNaN(count) ? USUAL_MEMBERS : count;
  return ["member", listNumbers(method === "spro" ? 0 : 1, last)];
}

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

/** Lists every option that decides the bytes of the networks, defaults included, and counts the networks. */
function paramsOf(
  entry: CollectedStudyNetwork,
  { architecture }: PlannedNetwork,
  data: DataSet,
): { readonly params: Omit<CollectParams, "data">; readonly count: number } {
  const { method, concentration = 0, volume = SIMPLEX_VERTICES_DEFAULTS.volume } = entry;
  if (isOneByOne(method)) {
    const { epochs = TRAIN_DEFAULTS.epochs } = entry;
    const members = membersOf(method, entry.members);
    const options = trainOptionsOf(trainingOf(entry, { epochs }), architecture, data);
    const chosen = method === "spro" ? { volume } : { concentration };
    return { params: { method, members, ...chosen, options }, count: members };
  }
  const rates = resolveRates(method, entry);
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

/**
 * Returns the settings of the training of an entry's networks; `usual` holds its epochs and the default
 * optimizer.
 */
function trainingOf(
  { seed: drawn, ...entry }: CollectedStudyNetwork,
  usual: Pick<TrainingParams, "optimizer"> & { readonly epochs: number },
): Parameters<typeof trainOptionsOf>[0] {
  const { batch, loss, optimizer, schedule, augment } = entry;
  const named = Object.entries({ batch, loss, optimizer, schedule, augment });
  const chosen = Object.fromEntries(named.filter(([, value]) => value !== undefined));
  return { seed: drawn, ...usual, ...chosen };
}
