import { resolveFields, saveFile } from "@isthmus/core";
import { repeats, seed } from "@isthmus/forms";
import { encodeGraph } from "@isthmus/graph";
import { join } from "@isthmus/platform";
import {
  pruneByEvolution,
  pruneIteratively,
  ROUNDS_FIELDS,
  type RoundsChoice,
  sparsityOf,
} from "@isthmus/sparsity";
import { EVOLUTION_FIELDS, type EvolutionChoice } from "@isthmus/training";
import { parseNetwork } from "@isthmus/zoo";
import * as z from "zod";
import { shapeOfFields } from "../schema/zod-of-form.ts";
import type { StudyTaskKind, TaskData, TaskNetwork } from "../tasks/task-kind.ts";
import { TASK_DATA, TASK_NETWORK } from "../tasks/task-schema.ts";
import { makingTask } from "./making-task.ts";
import { GRAPH_FILE, weightsFile } from "./train.ts";
import { TRAINING_PARAMS, type TrainingParams } from "./training-shape.ts";

/** Parameters of the search for a lottery ticket, by gradients (`training`) or without (`evolution`). */
export interface TicketsParams {
  /** Network with random weights that is pruned. */
  readonly network: TaskNetwork;
  /** Examples to train on. */
  readonly data: TaskData;
  /** Options of the pruning, such as the number of rounds and the share pruned after the last round. */
  readonly rounds: RoundsChoice;
  /**
   * Options of the training by gradients, and the epoch to whose weights rounds are reset; absent for
   * evolution.
   */
  readonly training?: { readonly rewindEpoch: number; readonly options: TrainingParams };
  /** Options of the search without gradients, and its seed; absent for training by gradients. */
  readonly evolution?: EvolutionChoice & { readonly seed: number };
}

/**
 * Task that finds a lottery ticket with the network of every round; it goes on from the states that an
 * interrupted run left.
 */
export const TICKETS_TASK: StudyTaskKind<TicketsParams> = makingTask<TicketsParams>({
  name: "tickets",
  version: 1,
  state: "states",
  params: z.strictObject({
    network: TASK_NETWORK,
    data: TASK_DATA,
    rounds: z.strictObject(shapeOfFields(ROUNDS_FIELDS, ["sparsity"])),
    training: z.strictObject({ rewindEpoch: repeats(0), options: TRAINING_PARAMS }).optional(),
    evolution: z.strictObject({ ...shapeOfFields(EVOLUTION_FIELDS), seed }).optional(),
  }),
  async make({ engine, openData, folder, save, resuming, signal, onProgress }, params) {
    const { network, training, evolution } = params;
    const data = await openData(params.data.name);
    const { graph, initialize } = parseNetwork(network.net, data);
    await saveFile(join(folder, GRAPH_FILE), encodeGraph(graph));
    const rounds = resolveFields("find tickets", ROUNDS_FIELDS, params.rounds);
    const search = { ...rounds, folder: resuming.statePath, signal };
    const shown = (round: number, share: number) => onProgress((round + share) / (1 + rounds.rounds));
    const evolving = { seed: 0, ...evolution, ...search };
    const results =
      training === undefined
        ? await pruneByEvolution({ graph, engine }, initialize(evolving.seed), data, {
            ...evolving,
            onProgress: ({ generation, generations }, round) => shown(round, generation / generations),
          })
        : await pruneIteratively({ graph, engine }, initialize(training.options.seed), data, {
            ...training.options,
            ...search,
            rewindEpoch: training.rewindEpoch,
            onProgress: ({ step, steps }, round) => shown(round, step / steps),
          });
    for (const [round, { weights }] of results.entries()) await save(weightsFile(round), weights);
    return { rounds: results.map((round) => ({ sparsity: sparsityOf(round) })) };
  },
});
