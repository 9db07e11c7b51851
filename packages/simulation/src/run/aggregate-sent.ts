import {
  at,
  type Checkpoint,
  createCheckpoint,
  createTensor,
  isIsthmusError,
  type Tensor,
  toFloat64,
} from "@isthmus/core";
import {
  type AggregateResult,
  aggregateUpdates,
  alignTargetOf,
  type ClientUpdate,
  isLocal,
  spendRound,
} from "@isthmus/federated";
import { alignUpdates } from "@isthmus/weight-matching";
import type { OpenFederation } from "./open-federation.ts";
import type { Position } from "./position.ts";
import type { CountedUpdate, SentUpdate } from "./send-updates.ts";

/** Result of the aggregation of a round's updates. */
export interface AggregatedSent {
  /** Changes of the position. */
  readonly next: Partial<Position>;
  /** Norm of the aggregated change; NaN if the round failed or was empty. */
  readonly changeNorm: number;
  /** Epsilon after the round, and the bound to which updates were clipped; missing without privacy. */
  readonly privacy?: { readonly epsilon: number; readonly clip: number };
  /** Reason why the round failed, so that the network stays; missing if the round did not fail. */
  readonly failed?: string;
  /** True if no client sent an update, so that the network stays; missing otherwise. */
  readonly empty?: true;
}

/** The updates of a round. */
export interface SentRound {
  /** Number of the round, from 1. */
  readonly round: number;
  /** Number of the aggregation, from 1, see `Decision`. */
  readonly step: number;
  /** Updates that passed the checks, in the order of the decision to aggregate. */
  readonly sent: readonly CountedUpdate[];
  /** Signal that stops the alignment and the aggregation. @defaultValue never aborted */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Aggregates the updates of a round by the strategy. If the numbers of the result are not finite, the round
 * fails and the network stays. The network stays, too, if no client sent an update, unless noise of the
 * server must hide that.
 */
export async function aggregateSent(
  federation: OpenFederation,
  position: Position,
  round: SentRound,
): Promise<AggregatedSent> {
  const { privacy: described } = federation.description.strategy;
  if (round.sent.length === 0 && (described === undefined || isLocal(described))) {
    return { changeNorm: Number.NaN, empty: true, ...spend(federation, position) };
  }
  try {
    const { network, state, report } = await aggregate(federation, position, round);
    const variate = await averageVariates(position.variate, round.sent, federation.description.clients);
    const { privacy, changeNorm } = report;
    return {
      next: { network, serverState: state, variate, ...(privacy && { privacy: privacy.next }) },
      changeNorm,
      ...(privacy && { privacy }),
    };
  } catch (error) {
    if (!isIsthmusError(error, "DivergenceError")) throw error;
    return { changeNorm: Number.NaN, failed: error.message, ...spend(federation, position) };
  }
}

async function aggregate(
  { description, graph, engine, aggregate: options }: OpenFederation,
  { network, serverState, privacy }: Position,
  { round, step, sent, signal }: SentRound,
): Promise<AggregateResult> {
  let received: readonly ClientUpdate[] = sent.map(({ client, examples, network: trained, loss }) => ({
    client,
    examples,
    network: trained,
    loss,
  }));
  const { seed, strategy } = description;
  if (strategy.align !== undefined && received.length > 0) {
    const to = strategy.start === "apart" && round === 1 ? "each-other" : alignTargetOf(strategy.align);
    received = (await alignUpdates({ graph, engine }, network, received, { to, seed, signal })).updates;
  }
  return aggregateUpdates(network, received, {
    ...options,
    state: serverState,
    round: step,
    seed,
    signal,
    privacyState: privacy,
    noiseSeed: seed,
  });
}

/**
 * Spends the privacy of a private round that failed or was empty: a failure reveals something of the updates,
 * too, and clients that add noise themselves are charged for each round.
 */
function spend(
  { description }: OpenFederation,
  position: Position,
): Pick<AggregatedSent, "next" | "privacy"> {
  const { privacy } = description.strategy;
  if (privacy === undefined) return { next: {} };
  const report = spendRound(privacy, position.privacy);
  return { next: { privacy: report.next }, privacy: report };
}

/**
 * Returns the server's control variate after a round: it moves by the sum of the clients' changes, divided by
 * the number of all clients (Karimireddy et al., SCAFFOLD, 2020, algorithm 1, line 17). Changes are summed in
 * the order of the clients' names.
 * @param variate - control variate before the round; undefined for zeros
 */
async function averageVariates(
  variate: Checkpoint | undefined,
  sent: readonly SentUpdate[],
  clients: number,
): Promise<Checkpoint | undefined> {
  const changes = sent.flatMap((update) =>
    update.refused === undefined && update.variateChange !== undefined ? [update.variateChange] : [],
  );
  if (changes.length === 0) return variate;
  const tensors = new Map<string, Tensor>();
  for (const [name, { shape }] of at(changes, 0).tensors) {
    const read = async (from: Checkpoint) => {
      const { data, dtype } = await from.read(name);
      return toFloat64(data, dtype);
    };
    const sum = await read(at(changes, 0));
    for (const change of changes.slice(1)) {
      const values = await read(change);
      for (let i = 0; i < sum.length; i++) sum[i] = at(sum, i) + at(values, i);
    }
    const before = variate === undefined ? new Float64Array(sum.length) : await read(variate);
    const after = Float32Array.from(sum, (value, i) => at(before, i) + value / clients);
    tensors.set(name, createTensor("f32", shape, after));
  }
  return createCheckpoint(tensors);
}
