import { rm } from "node:fs/promises";
import { join } from "node:path";
import { saveCheckpoint, saveFile } from "@isthmus/core";
import { repeats, schemaOf, seed, takesParams } from "@isthmus/forms";
import { encodeGraph } from "@isthmus/graph";
import {
  ITERATIVE_DEFAULTS,
  type IterativeOptions,
  pruneByEvolution,
  pruneIteratively,
  sparsityOf,
} from "@isthmus/sparsity";
import { AUGMENT } from "@isthmus/training/forms";
import { parseNetwork } from "@isthmus/zoo";
import { z } from "zod";
import type { EvolutionChoice, RoundsChoice } from "../description/ticket-network.ts";
import { TRAINING_FIELDS } from "../schema/shared-fields.ts";
import { EVOLUTION_FIELDS, ROUNDS_FIELDS } from "../schema/ticket-fields.ts";
import type { StudyTaskKind, TaskData, TaskNetwork } from "./task-kind.ts";
import { TASK_DATA, TASK_NETWORK } from "./task-schema.ts";
import { GRAPH_FILE, type TrainNetworkParams } from "./train-network.ts";

/** A lottery ticket to find; one of `training` and `evolution` says how. */
export interface FindTicketsParams {
  readonly network: TaskNetwork;
  readonly data: TaskData;
  readonly rounds: RoundsChoice;
  readonly training?: {
    readonly rewindEpoch: NonNullable<IterativeOptions["rewindEpoch"]>;
    readonly options: TrainNetworkParams["options"];
  };
  readonly evolution?: EvolutionChoice & { readonly seed: number };
}

/** File of the weights of a round. */
export const roundFile = (round: number): string => `weights-${round}.safetensors`;

const PARAMS = schemaOf<FindTicketsParams>()(
  z.strictObject({
    network: TASK_NETWORK,
    data: TASK_DATA,
    rounds: z.strictObject(ROUNDS_FIELDS),
    training: z
      .strictObject({
        rewindEpoch: repeats(0),
        options: z.strictObject({ ...TRAINING_FIELDS, augment: AUGMENT.optional() }),
      })
      .optional(),
    evolution: z.strictObject({ ...EVOLUTION_FIELDS, seed }).optional(),
  }),
);

/** Finds a lottery ticket with the network of every round; goes on from what an interrupted run left. */
export const findStudyTickets: StudyTaskKind<FindTicketsParams> = {
  name: "tickets",
  version: 1,
  ...takesParams("tickets", PARAMS),
  async run({ engine, openData, folder, signal, onProgress }, params, _inputs) {
    const { network, rounds, training, evolution } = params;
    const data = await openData(params.data.name);
    const { graph, initialize } = parseNetwork(network.net, data);
    await saveFile(join(folder, GRAPH_FILE), encodeGraph(graph));
    const states = join(folder, "states");
    const search = { rounds: ITERATIVE_DEFAULTS.rounds, ...rounds, folder: states, signal };
    const shown = (round: number, share: number) => onProgress((round + share) / (1 + search.rounds));
    const evolving = { seed: 0, ...evolution, ...search };
    const results =
      training === undefined
        ? await pruneByEvolution({ graph, engine }, initialize(evolving.seed), data, {
            ...evolving,
            onProgress: ({ generation, generations }, round) => shown(round, generation / generations),
          })
        : await pruneIteratively({ graph, engine }, initialize(training.options.seed), data, {
            ...{ ...training.options, ...search, rewindEpoch: training.rewindEpoch },
            onProgress: ({ step, steps }, round) => shown(round, step / steps),
          });
    for (const [round, { weights }] of results.entries()) {
      await saveCheckpoint(weights, join(folder, roundFile(round)), { overwrite: true });
    }
    await rm(states, { recursive: true, force: true });
    return {
      kind: "tickets",
      rounds: results.map((round) => ({ sparsity: sparsityOf(round) })),
    };
  },
};
