import { InputError } from "@isthmus/core";
import type { TaskInputs } from "@isthmus/tasks";
import {
  ACTIVATIONS_FIELDS,
  type ActivationsChoice,
  chooseLearnedOptions,
  LEARNED_FIELDS,
  MATCH_WEIGHTS_DEFAULTS,
} from "@isthmus/weight-matching";
import type { MatchChoice, PairSelection } from "../description/pair-selection.ts";
import { keyedOptions } from "../measurement/entry-params.ts";
import { ALIGNMENT_FILE, type AlignNetworksParams, alignNetworks } from "../tasks/align-networks.ts";
import { ALIGNED_FILE, learnAlignment } from "../tasks/learn-alignment.ts";
import { type PlannedNetwork, sourceOf } from "./planned-network.ts";
import type { Planner } from "./planner.ts";
import type { PlannedPair } from "./select-networks.ts";

/**
 * Returns the files of a pair. If an alignment is asked for, plans it first and adds its file.
 * @throws InputError if the alignment needs examples and none are named, or they do not fit the networks
 */
export async function planAlignment(
  pair: PlannedPair,
  { align = "none", restarts = MATCH_WEIGHTS_DEFAULTS.restarts, match = {} }: PairSelection,
  planner: Planner,
): Promise<TaskInputs> {
  const files = filesOf(pair);
  const { seed } = planner;
  switch (align) {
    case "none":
      return files;
    case "weight":
      return planPermutation(pair, { method: align, seed, restarts }, planner);
    case "activation":
      return planPermutation(pair, await activationParams(pair, match, planner), planner);
    default: {
      const { key } = planner.add(learnAlignment, {
        params: await learningParams(pair, match, planner),
        inputs: files,
        label: `learn to align ${pair.b.label} to ${pair.a.label}`,
      });
      return { ...files, aligned: [{ task: key, file: ALIGNED_FILE }] };
    }
  }
}

function filesOf({ a, b }: PlannedPair): TaskInputs {
  return { graph: [a.graph], a: [a.weights], b: [b.weights], ...sourceOf([a, b]) };
}

/** Plans an alignment that is a permutation. */
function planPermutation(pair: PlannedPair, params: AlignNetworksParams, planner: Planner): TaskInputs {
  const files = filesOf(pair);
  const manner = params.method === "weight" ? "" : " by activations";
  const { key } = planner.add(alignNetworks, {
    params,
    inputs: files,
    label: `align ${pair.b.label} to ${pair.a.label}${manner}`,
  });
  return { ...files, alignment: [{ task: key, file: ALIGNMENT_FILE }] };
}

async function activationParams(pair: PlannedPair, { data, examples }: MatchChoice, planner: Planner) {
  const chosen = new Map(examples === undefined ? [] : [["examples", examples]]);
  const options: ActivationsChoice = keyedOptions(ACTIVATIONS_FIELDS, chosen);
  const { description } = await openExamples(pair, data, { batchSize: options.batchSize, planner });
  return { method: "activation", seed: planner.seed, data: description, options } as const;
}

/** Lists every option that decides the bytes of a learned alignment, and the examples, as its fields say. */
async function learningParams(pair: PlannedPair, match: MatchChoice, planner: Planner) {
  const { data: named, batch, learningRate, ...settings } = match;
  const { data, description } = await openExamples(pair, named, { batchSize: batch, planner });
  const { architecture: graph } = pair.a;
  const chosen = {
    ...settings,
    ...chooseLearnedOptions({ graph, data }, { batchSize: batch, learningRate }),
    seed: planner.seed,
  };
  const options = keyedOptions(LEARNED_FIELDS, new Map<string, unknown>(Object.entries(chosen)));
  return { data: description, options: { ...options, seed: planner.seed } };
}

/** Opens the examples that a pair is matched by. */
function openExamples(
  { a, b }: PlannedPair,
  data: string = trainedOn(a, b),
  { batchSize = 1, planner }: { readonly batchSize?: number | undefined; readonly planner: Planner },
) {
  return planner.openFor(data, { architectures: new Set([a.architecture]), batchSize });
}

/**
 * Returns the name of the examples that both networks were trained on.
 * @throws InputError if there are no such examples
 */
function trainedOn(a: PlannedNetwork, b: PlannedNetwork): string {
  if (a.trainedOn !== undefined && a.trainedOn === b.trainedOn) return a.trainedOn;
  const [one, two] = [a, b].map((network) => network.trainedOn ?? "examples that the study does not know");
  throw new InputError(
    `Cannot plan the alignment of ${b.label} to ${a.label} by examples as they must be named by "match: { data }" where the networks were not trained on the same: one was on ${one}, the other on ${two}`,
    { input: b.label },
  );
}
