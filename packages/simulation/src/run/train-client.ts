import { type Checkpoint, createCheckpoint, createRandom, DivergenceError, type Tensor } from "@isthmus/core";
import { isLocal, personalNetwork, privatizeUpdate } from "@isthmus/federated";
import { createEvaluator } from "@isthmus/graph";
import { type TrainOptions, train } from "@isthmus/training";
import type { ResolvedClientTraining } from "./describe-defaults.ts";
import type { OpenClient, OpenFederation } from "./open-federation.ts";
import type { ClientState, Position } from "./position.ts";

/** Result of a client's work in one round. */
export interface TrainedClient {
  /** Client that has trained. */
  readonly client: OpenClient;
  /** Network after the client's work, of which it sends the shared tensors. */
  readonly network: Checkpoint;
  /** Mean loss of the client's last epoch, in nats. */
  readonly trainLoss: number;
  /**
   * Mean loss, on the client's examples, of the network that it began with; missing if the rule does not need
   * it.
   */
  readonly loss?: number;
  /** State that the client keeps. */
  readonly state: ClientState;
  /** Change of the client's control variate, which it sends with its network. */
  readonly variateChange?: Checkpoint;
}

/** Upper end of the seeds of trainings, exclusive. */
const SEEDS = 2 ** 32;

/**
 * Trains one client for one round; the result depends on the client, the round and the position before it
 * alone, not on other clients of the round.
 * @returns the result, or, if the training diverged so that there is nothing to send, the reason
 */
export async function trainClient(
  federation: OpenFederation,
  position: Position,
  {
    client,
    round,
    signal,
  }: { readonly client: OpenClient; readonly round: number; readonly signal?: AbortSignal | undefined },
): Promise<TrainedClient | string> {
  const { graph, engine, aggregate, description } = federation;
  const state = position.clients.get(client.client) ?? {};
  const start = startOf(federation, position, client, round);
  const options = optionsOf(description.client, client, {
    seed: createRandom(description.seed, `training of ${client.client} in round ${round}`).integer(SEEDS),
    scaffold: { server: position.variate, client: state.variate },
  });
  try {
    const loss = aggregate.rule?.of.needs.includes("losses")
      ? await measureLoss(federation, start, client)
      : undefined;
    const trained = await train({ graph, engine }, start, client.data, { ...options, signal });
    const { weights, result, controlVariates } = trained;
    const network = await privatized(federation, position, { client, round, weights });
    return {
      client,
      network,
      trainLoss: result.loss,
      ...(loss !== undefined && { loss }),
      state: {
        ...(await ownOf(federation, weights)),
        ...(controlVariates && { variate: controlVariates.client }),
      },
      ...(controlVariates && { variateChange: controlVariates.clientChange }),
    };
  } catch (error) {
    if (!(error instanceof DivergenceError)) throw error;
    return "its training diverged";
  }
}

/** Returns the network that a client sends: clipped and with noise if clients add the noise. */
async function privatized(
  { description: { strategy, seed }, treatments }: OpenFederation,
  { network }: Pick<Position, "network">,
  {
    client: { client },
    round,
    weights,
  }: { readonly client: OpenClient; readonly round: number; readonly weights: Checkpoint },
): Promise<Checkpoint> {
  const { privacy } = strategy;
  if (privacy === undefined || !isLocal(privacy)) return weights;
  const names = [...treatments].flatMap(([name, treatment]) => (treatment === "keep" ? [] : [name]));
  return privatizeUpdate(network, weights, { privacy, names, seed, round, client });
}

function optionsOf(
  { epochs, batch, optimizer, schedule, proximal, scaffold, curriculum, wasserstein }: ResolvedClientTraining,
  { data }: OpenClient,
  {
    seed,
    scaffold: variates,
  }: Pick<TrainOptions, "seed"> & { readonly scaffold: NonNullable<TrainOptions["controlVariates"]> },
): TrainOptions {
  return {
    seed,
    epochs,
    optimizer,
    schedule,
    curriculum,
    wasserstein,
    batch: Math.min(batch, data.size),
    // Each session has one thread, as simulations run side by side.
    threads: 1,
    ...(proximal !== undefined && { proximal: { mu: proximal } }),
    ...(scaffold && { controlVariates: variates }),
  };
}

/**
 * Returns the network that a client begins a round with: the global network with the client's own tensors in
 * it.
 */
function startOf(
  { treatments, description, initialize }: OpenFederation,
  { network, clients }: Pick<Position, "network" | "clients">,
  { client }: Pick<OpenClient, "client">,
  round: number,
): Checkpoint {
  if (description.strategy.start === "apart" && round === 1) {
    return initialize(createRandom(description.seed, `first network of ${client}`).integer(SEEDS));
  }
  const personal = clients.get(client)?.personal;
  return personal === undefined ? network : personalNetwork(network, personal, treatments);
}

/** Copies the tensors that a client keeps from its network. */
async function ownOf(
  { personal: names }: Pick<OpenFederation, "personal">,
  weights: Checkpoint,
): Promise<Pick<ClientState, "personal">> {
  if (names.length === 0) return {};
  const read = names.map(async (name): Promise<[string, Tensor]> => [name, await weights.read(name)]);
  return { personal: createCheckpoint(new Map(await Promise.all(read))) };
}

async function measureLoss(
  { graph, engine }: OpenFederation,
  network: Checkpoint,
  { data }: OpenClient,
): Promise<number> {
  const evaluator = await createEvaluator({ graph, engine }, data, { threads: 1 });
  try {
    return (await evaluator.evaluate(network)).loss;
  } finally {
    await evaluator.release();
  }
}
