import { type FieldsOf, InputError } from "@isthmus/core";
import { type Repeated, seed } from "@isthmus/forms";
import type { DataSet } from "@isthmus/graph";
import { REWINDING_FIELDS, ROUNDS_FIELDS, type RoundsChoice } from "@isthmus/sparsity";
import { EVOLUTION_FIELDS, type EvolutionChoice } from "@isthmus/training";
import type { Network } from "@isthmus/zoo";
import * as z from "zod";
import { NAMED_DATA } from "../file/entry-fields.ts";
import type { PlannedNetwork } from "../plan/planned-network.ts";
import { trainOptionsOf } from "../plan/train-options.ts";
import { keyedOf, listNumbers, withMade } from "./derive-network.ts";
import type { GroupMaker, MadeVariable, Making } from "./group-maker.ts";
import { TICKETS_TASK, type TicketsParams } from "./tickets-task.ts";
import { GRAPH_FILE, weightsFile } from "./train.ts";
import { RUN_SHAPE, STEPS_SHAPE, type StepsChoice } from "./training-shape.ts";

/** Keys that the entries of all lottery tickets have. */
interface AnyTicket extends RoundsChoice {
  /** Short string of the zoo, such as `mlp:512x3`. */
  readonly net: string;
  /** Name of the examples to train on. */
  readonly data: string;
  /** Seed of weights, order of examples, and of the networks that evolution draws. */
  readonly seed: number;
}

/** Options of the search for a ticket by gradients. */
interface GradientChoice extends RoundsChoice {
  /** Epochs of the first training to whose weights every round is reset. @defaultValue 0: the start */
  readonly rewind?: number;
}

/** Networks of all rounds of a lottery ticket by gradients; defaults are the ones of `pruneIteratively`. */
export interface GradientTicket extends AnyTicket, GradientChoice, StepsChoice {
  /** Kind of the search: by gradients. */
  readonly tickets: "gradient";
  /** Times each example is seen in every training. */
  readonly epochs: number;
}

/** Networks of all rounds of a ticket without gradients; defaults are the ones of `pruneByEvolution`. */
export interface EvolvedTicket extends AnyTicket, EvolutionChoice {
  /** Kind of the search: without gradients. */
  readonly tickets: "evolution";
}

/**
 * Networks of all rounds of a lottery ticket, each a network of its own by the variable `round`, which is 0
 * before anything is pruned.
 */
export type TicketNetwork = GradientTicket | EvolvedTicket;

const GRADIENT_FIELDS: FieldsOf<GradientChoice> = { ...ROUNDS_FIELDS, rewind: REWINDING_FIELDS.rewindEpoch };

const EVOLVED_FIELDS: FieldsOf<RoundsChoice & EvolutionChoice> = { ...ROUNDS_FIELDS, ...EVOLUTION_FIELDS };

/** Maker of lottery tickets by gradients. */
export const GRADIENT_TICKETS: GroupMaker<"none", GradientTicket, GradientChoice> = {
  key: "tickets",
  way: ["tickets", "gradient"],
  from: "none",
  options: GRADIENT_FIELDS,
  required: ["sparsity"],
  beside: { ...RUN_SHAPE, ...STEPS_SHAPE, net: z.string(), data: NAMED_DATA },
  task: TICKETS_TASK,
  made: listRounds,
  plan: (making) => planRounds(making, (opened) => ({ training: trainingOf(making, opened) })),
};

/** Maker of lottery tickets without gradients. */
export const EVOLVED_TICKETS: GroupMaker<"none", EvolvedTicket, RoundsChoice & EvolutionChoice> = {
  key: "tickets",
  way: ["tickets", "evolution"],
  from: "none",
  options: EVOLVED_FIELDS,
  required: ["sparsity"],
  beside: { seed, net: z.string(), data: NAMED_DATA },
  task: TICKETS_TASK,
  made: listRounds,
  plan: (making) => {
    const chosen = keyedOf(EVOLUTION_FIELDS, making.entry);
    return planRounds(making, () => ({ evolution: { ...chosen, seed: making.entry.seed } }));
  },
};

/**
 * Lists the numbers of the rounds of a lottery ticket; 0 stands for the network before anything is pruned.
 */
function listRounds({ rounds }: Repeated<AnyTicket>): MadeVariable {
  const count = typeof rounds === "number" ? rounds : Number(ROUNDS_FIELDS.rounds.default);
  return ["round", listNumbers(0, count)];
}

interface Opened {
  readonly network: Network;
  readonly data: DataSet;
}

/** Plans the search for a ticket, which gives one network for every round. */
async function planRounds(
  { group, entry, variables, planner }: Making<"none", TicketNetwork>,
  howOf: (opened: Opened) => Pick<TicketsParams, "training" | "evolution">,
): Promise<readonly PlannedNetwork[]> {
  const { net, data: name, sparsity, tickets } = entry;
  const { network, data, params: built } = await planner.build(net, name, entry.seed);
  const rounds = { ...keyedOf(ROUNDS_FIELDS, entry), sparsity };
  const params: TicketsParams = {
    ...built,
    rounds,
    ...howOf({ network, data }),
  };
  const label = `${network.spec} seed ${entry.seed}, ${tickets} ticket`;
  const { key } = planner.add(TICKETS_TASK, { params, inputs: {}, label: `find ${label}` });
  const [, numbers] = listRounds(entry);
  return numbers.map(Number).map((round) => ({
    variables: withMade({ group, variables }, "round", round),
    label: `${label} round ${round}`,
    architecture: network.graph,
    trainedOn: name,
    graph: { task: key, file: GRAPH_FILE },
    weights: { task: key, file: weightsFile(round) },
  }));
}

function trainingOf(
  { group, entry }: Making<"none", GradientTicket>,
  { network, data }: Opened,
): NonNullable<TicketsParams["training"]> {
  const { rewind = Number(GRADIENT_FIELDS.rewind.default), ...others } = entry;
  const { tickets: _, net: __, data: ___, sparsity: ____, rounds: _____, by: ______, ...settings } = others;
  if (rewind >= settings.epochs) {
    throw new InputError(
      `Cannot plan "networks.${group}" of the study as "rewind" must be less than the ${settings.epochs} epochs: it is ${rewind}`,
      { input: group },
    );
  }
  return { rewindEpoch: rewind, options: trainOptionsOf(settings, network.graph, data) };
}
