import { stat } from "node:fs/promises";
import { at, InputError, resolveFields, UsageError } from "@isthmus/core";
import type { Architecture, DataSet } from "@isthmus/graph";
import {
  applyMasks,
  measurePruning,
  measureRounds,
  type PrunedArchitecture,
  pruneByEvolution,
  pruneIteratively,
  ROUNDS_FIELDS,
  sparsityOf,
  type TicketRound,
} from "@isthmus/sparsity";
import { sayHowToGoOn } from "../../terminal/say-how-to-go-on.ts";
import type { Context } from "../../verb.ts";
import type { PruneData, PruneJob, Pruning } from "./prune-job.ts";
import { type PruneVerbOptions, roundsOf } from "./prune-verb-options.ts";

/** A network whose lottery ticket is searched. */
type TicketJob = PruneJob & { readonly architecture: Architecture & PrunedArchitecture };

/** Trains, prunes and rewinds a network in rounds, whose states are in a folder beside the output. */
export async function findTicket(job: TicketJob, data: PruneData, context: Context): Promise<Pruning> {
  const { architecture, options } = job;
  const { trained, measured } = data;
  const { signal } = context;
  if (trained === undefined) throw new UsageError("Cannot --rewind as there must be examples to train on");
  const folder = roundsOf(options.output);
  await assertResumed(folder, options);
  const left = () => `rounds are in "${folder}": --resume goes on`;
  const rounds = await sayHowToGoOn({ verb: "prune", left }, context, () =>
    searchRounds(job, { data: trained, folder }, context),
  );
  const last = at(rounds, rounds.length - 1, "round");
  const [dense, before] = [at(rounds, 0, "round"), at(rounds, rounds.length - 2, "round")];
  const { weights, masks, pruning } = last;
  if (pruning === undefined) throw new UsageError("Cannot --rewind as there must be a round");
  const { graph, engine } = architecture;
  const compared = {
    before: dense.weights,
    after: await applyMasks(before.weights, masks),
    tuned: weights,
  };
  if (measured !== undefined) context.progress("Measuring");
  const measures = measured && (await measurePruning({ graph, engine }, compared, measured, { signal }));
  const { epochs, seed, rewind = 0, method } = options;
  return {
    weights,
    result: {
      ...pruning,
      network: job.network.source,
      ...(measures && { measures }),
      ...(method === "gradient" && { tuning: { data: trained.name, epochs: epochs - rewind, seed } }),
      rewinding: {
        method,
        rewind,
        rounds:
          measured === undefined
            ? rounds.map((round) => ({ sparsity: sparsityOf(round) }))
            : await measureRounds({ graph, engine }, rounds, measured, { signal }),
      },
    },
  };
}

function searchRounds(
  { architecture, network, options }: TicketJob,
  { data, folder }: { readonly data: DataSet; readonly folder: string },
  { progress, signal }: Context,
): Promise<readonly TicketRound<unknown>[]> {
  const { sparsity, by, epochs, seed, batch, lr, rewind = 0, method } = options;
  const { rounds } = resolveFields("prune", ROUNDS_FIELDS, { sparsity, rounds: options.rounds });
  const shown = (round: number, share: number) =>
    progress(`Training round ${round} of ${rounds}`, (round + share) / (rounds + 1));
  if (method === "evolution" && by !== "units") {
    const { generations, population } = options;
    return pruneByEvolution(architecture, network, data, {
      sparsity,
      rounds,
      by,
      seed,
      batch,
      folder,
      signal,
      ...(generations !== undefined && { generations }),
      ...(population !== undefined && { population }),
      onProgress: ({ generation, generations: all }, round) => shown(round, generation / all),
    });
  }
  return pruneIteratively(architecture, network, data, {
    sparsity,
    rounds,
    rewindEpoch: rewind,
    by,
    epochs,
    seed,
    batch,
    folder,
    signal,
    schedule: { kind: "cosine", learningRate: lr },
    onProgress: ({ step, steps }, round) => shown(round, step / steps),
  });
}

/**
 * Checks that the states of an earlier run are used only if the options ask for it.
 * @throws InputError if there are states and they do not
 */
async function assertResumed(folder: string, { resume }: PruneVerbOptions): Promise<void> {
  if (resume === true || (await stat(folder).catch(() => undefined)) === undefined) return;
  throw new InputError(
    `Cannot --rewind with states in "${folder}" as they must not be replaced: the folder exists; go on with --resume, or remove it to start anew`,
    { input: folder },
  );
}
