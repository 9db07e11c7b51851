import type { Checkpoint } from "@isthmus/core";
import type { Architecture, DataSet } from "@isthmus/graph";
import { bootstrapPosterior } from "../posterior/bootstrap-posterior.ts";
import type { RepeatedTrainingOptions } from "../repeated-training.ts";
import { simplexVertices } from "../simplex/simplex-vertices.ts";
import type { CollectionChoice } from "./collection-choice.ts";
import type { NetworkStore } from "./network-store.ts";

/** Progress of {@link collectOneByOne}. */
export interface OneByOneProgress {
  /** Number of networks that are in the store. */
  readonly finished: number;
  /** Number of networks that will be in the store. */
  readonly networks: number;
  /** Steps of the current training that are done. */
  readonly step: number;
  /** Steps of each training. */
  readonly steps: number;
}

/** Options of {@link collectOneByOne}. */
export interface CollectOneByOneOptions
  extends Omit<RepeatedTrainingOptions, "onProgress">,
    Pick<CollectionChoice, "concentration" | "volume"> {
  /** Method by which each network is trained beside the ones before. */
  readonly method: "posterior" | "spro";
  /** Number of networks to train. */
  readonly members: number;
  /** Store that takes the networks in their order. */
  readonly store: NetworkStore;
  /** Number of networks that an interrupted run has left in the store. @defaultValue 0 */
  readonly kept?: number;
  /**
   * Whether the store takes the given network, too, before the other vertices of `spro`. @defaultValue false
   */
  readonly keepsStart?: boolean;
  /** Callback for the progress of the network that is trained. @defaultValue progress is not reported */
  readonly onProgress?: ((progress: OneByOneProgress) => void) | undefined;
}

/** Cost of a collection. */
export interface CollectionCost {
  /** Number of networks in the store. */
  readonly networks: number;
  /** Number of steps of each training; 0 if an earlier run has trained all networks. */
  readonly steps: number;
}

/**
 * Trains networks one after another, each from the same network, and stores them. Networks that an
 * interrupted run has left in the store are not trained again.
 * @throws OutOfRangeError if an option is out of its range
 * @throws InputError, UnsupportedError, DivergenceError, EngineError, DOMException as `train`
 */
export async function collectOneByOne(
  architecture: Architecture,
  network: Checkpoint,
  data: DataSet,
  options: CollectOneByOneOptions,
): Promise<CollectionCost> {
  const {
    method,
    concentration,
    volume,
    store,
    kept = 0,
    keepsStart = false,
    onProgress,
    ...training
  } = options;
  const starts = method === "spro" && keepsStart ? 1 : 0;
  const networks = training.members + starts;
  let finished = Math.min(networks, kept);
  let steps = 0;
  const keep = async (member: Checkpoint) => {
    await store.save(finished, member);
    finished += 1;
  };
  if (starts > finished) await keep(network);
  const following = {
    ...training,
    onProgress: (progress: Pick<OneByOneProgress, "step" | "steps">) => {
      steps = progress.steps;
      onProgress?.({ finished, networks, ...progress });
    },
  };
  if (method === "posterior") {
    const drawn = { ...following, skip: finished, ...(concentration !== undefined && { concentration }) };
    for await (const member of bootstrapPosterior(architecture, network, data, drawn)) await keep(member);
  } else {
    const made: Checkpoint[] = [];
    for (let index = starts; index < finished; index++) made.push(await store.open(index));
    const trained = { ...following, made, ...(volume !== undefined && { volume }) };
    for await (const vertex of simplexVertices(architecture, [network], data, trained))
      await keep(vertex.network);
  }
  return { networks, steps };
}
