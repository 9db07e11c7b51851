import {
  type Checkpoint,
  createCheckpoint,
  InputError,
  OutOfRangeError,
  openCheckpoint,
  resolveFields,
  saveCheckpoint,
  type Tensor,
} from "@isthmus/core";
import type { Architecture, DataSet } from "@isthmus/graph";
import { access, join, mkdir } from "@isthmus/platform";
import type { SymmetricArchitecture } from "@isthmus/symmetry";
import {
  TRAIN_DEFAULTS,
  type TrainOptions,
  type TrainProgress,
  type TrainResult,
  train,
} from "@isthmus/training";
import { findTickets, type TicketRound } from "./find-tickets.ts";
import { REWINDING_FIELDS, type RewindingChoice } from "./rounds-fields.ts";
import { trainMasked } from "./train-masked.ts";

/** Options of pruning a network round by round. */
export interface IterativeOptions
  extends RewindingChoice,
    Omit<TrainOptions, "constraint" | "statePath" | "resume" | "onEpoch" | "onProgress"> {
  /** Folder for the states of trainings, from which an interrupted search goes on. @defaultValue none */
  readonly folder?: string | undefined;
  /** Called after every step of round `round`, which is 0 for the dense network. */
  readonly onProgress?: ((progress: TrainProgress, round: number) => void) | undefined;
}

/** Result of a round. */
export type PruningRound = TicketRound<TrainResult>;

const ATTEMPT = "prune iteratively";

/**
 * Finds a lottery ticket: trains a network, prunes it, sets the remaining weights back to their values at an
 * early epoch, trains again, and so on. Each round prunes the same share of the remaining weights.
 *
 * Returns the dense network first, then each round. Every training has the same options and seed, and its
 * schedule begins again; if rounds go back to a later epoch than the start, they last that many epochs less.
 * Frankle et al., Linear mode connectivity and the lottery ticket hypothesis (2020).
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createOnnxRuntimeEngine, openDataSet, parseNetwork, pruneIteratively } from "isthmus";
 *
 * const data = await openDataSet("mnist:test@200");
 * const { graph, initialize } = parseNetwork("mlp:8", data);
 * const architecture = { graph, engine: createOnnxRuntimeEngine() };
 * const options = { seed: 0, epochs: 2, sparsity: 0.75, rounds: 2, rewindEpoch: 1 };
 * const [dense, half, ticket] = await pruneIteratively(architecture, initialize(0), data, options);
 * assert(dense?.masks.size === 0);
 * assert(half?.pruning?.sparsity.toFixed(2) === "0.50" && ticket?.pruning?.sparsity.toFixed(2) === "0.75");
 * ```
 *
 * @throws OutOfRangeError if a number is out of its range
 * @throws InputError if a folder has states of a training but not the weights to go back to; else as `train`
 */
export async function pruneIteratively(
  architecture: Architecture & Partial<Pick<SymmetricArchitecture, "symmetries">>,
  start: Checkpoint,
  data: DataSet,
  options: IterativeOptions,
): Promise<readonly PruningRound[]> {
  const { sparsity, rounds, rewindEpoch, by, folder, onProgress, training } = resolveIterative(options);
  if (folder !== undefined) await mkdir(folder, { recursive: true });
  const stateOf = (round: number) => ({
    ...(folder !== undefined && { statePath: join(folder, `round-${round}.safetensors`), resume: true }),
    ...(onProgress && { onProgress: (progress: TrainProgress) => onProgress(progress, round) }),
  });
  let rewound: Checkpoint | undefined = rewindEpoch === 0 ? start : undefined;
  const dense = await train(architecture, start, data, {
    ...training,
    ...stateOf(0),
    async onEpoch(epoch, weights) {
      if (epoch !== rewindEpoch) return;
      rewound = await copyOf(weights);
      if (folder !== undefined) await saveCheckpoint(rewound, join(folder, REWIND_FILE), { overwrite: true });
    },
  });
  rewound ??= await readRewound(folder);
  const weights = rewound;
  const epochs = training.epochs - rewindEpoch;
  const first = { weights: dense.weights, training: dense.result };
  return findTickets(architecture, first, { sparsity, rounds, by }, async (round, masks) => {
    const state = { ...training, epochs, ...stateOf(round) };
    const trained = await trainMasked(architecture, { weights, masks }, data, state);
    return { weights: trained.weights, training: trained.result };
  });
}

const REWIND_FILE = "rewind.safetensors";

function resolveIterative(options: IterativeOptions) {
  const { sparsity: share, rounds: named, by: choice, rewindEpoch: rewind, ...others } = options;
  const chosen = { sparsity: share, rounds: named, by: choice, rewindEpoch: rewind };
  const { sparsity, rounds, by, rewindEpoch } = resolveFields(ATTEMPT, REWINDING_FIELDS, chosen);
  const { folder, onProgress, ...training } = others;
  const epochs = training.epochs ?? TRAIN_DEFAULTS.epochs;
  if (rewindEpoch >= epochs) {
    throw new OutOfRangeError(
      `Cannot ${ATTEMPT} as "rewindEpoch" must be a whole number from 0 and less than the ${epochs} epochs: it is ${rewindEpoch}`,
    );
  }
  return { sparsity, rounds, rewindEpoch, by, folder, onProgress, training: { ...training, epochs } };
}

/** Copies weights, as the next step of a training overwrites their memory. */
async function copyOf(weights: Checkpoint): Promise<Checkpoint> {
  const tensors = new Map<string, Tensor>();
  for (const name of weights.tensors.keys()) {
    const tensor = await weights.read(name);
    tensors.set(name, { ...tensor, data: tensor.data.slice() });
  }
  return createCheckpoint(tensors, {}, weights.source);
}

/**
 * Reads the weights to go back to from the folder, if the first training passed that epoch before an
 * interruption.
 */
async function readRewound(folder: string | undefined): Promise<Checkpoint> {
  const path = join(folder ?? "", REWIND_FILE);
  try {
    await access(path);
  } catch (cause) {
    throw new InputError(
      `Cannot ${ATTEMPT} from "${folder}" as it must have the weights to go back to: there is no ${REWIND_FILE}; remove the folder to start anew`,
      { input: path, cause },
    );
  }
  const file = await openCheckpoint(path);
  try {
    return await copyOf(file);
  } finally {
    await file.close();
  }
}
