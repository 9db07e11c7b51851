import { type Checkpoint, createRandom, meanOf } from "@isthmus/core";
import { attackUpdates } from "./attack-updates.ts";
import { allFinite, hashNetwork } from "./hash-network.ts";
import { clientOf, type OpenClient, type OpenFederation } from "./open-federation.ts";
import type { ClientState, Position } from "./position.ts";
import { type TrainedClient, trainClient } from "./train-client.ts";
import type { UpdateFiles } from "./update-files.ts";

/** Update of one client in a round, or the reason why it was refused. */
export type SentUpdate =
  | {
      /** Name of the client that sends the update. */
      readonly client: string;
      /** Undefined, as the update passed the checks. */
      readonly refused?: undefined;
      /** Network that the client sends, as the server receives it. */
      readonly network: Checkpoint;
      /** Hash of the network, by which the state machine tells updates apart. */
      readonly hash: string;
      /** Number of the client's examples, which weighs its update. */
      readonly examples: number;
      /**
       * Mean loss of the network that the client began with, on its examples; the mean of the honest clients
       * for attackers; absent if the rule does not need it.
       */
      readonly loss?: number | undefined;
      /** Mean loss of the client's last epoch; missing for attackers on updates. */
      readonly trainLoss?: number;
      /** State that the client keeps for its next round. */
      readonly state: ClientState;
      /** Change of the client's control variate; absent unless clients correct gradients (SCAFFOLD). */
      readonly variateChange?: Checkpoint | undefined;
    }
  | {
      /** Name of the client whose update was refused. */
      readonly client: string;
      /** Reason of the refusal, as the end of a sentence: "its training diverged". */
      readonly refused: string;
    };

/** An update that passed the checks of the server. */
export type CountedUpdate = Extract<
  SentUpdate,
  {
    /** Network of the update, the field by which accepted updates differ from refused ones. */
    readonly network: unknown;
  }
>;

/** Clients that a round asks, and files for their updates. */
export interface SendUpdatesOptions {
  /** Number of the round, from 1. */
  readonly round: number;
  /** Number of the attempt at the round, from 1; another attempt loses other updates. */
  readonly attempt: number;
  /** Names of the asked clients, in order. */
  readonly clients: readonly string[];
  /** Files for the updates of clients; missing to hold updates in memory. */
  readonly files?: UpdateFiles | undefined;
  /** Signal that stops the work between two clients or steps of a training. @defaultValue never aborted */
  readonly signal?: AbortSignal | undefined;
  /**
   * Called after each client with the share of the trainings that is done, in `[0, 1]`.
   * @defaultValue no reports
   */
  readonly onProgress?: ((done: number) => void) | undefined;
}

/**
 * Lets the clients of a round train, one after the other, and lets attackers make their updates from the
 * honest ones. Checks each update as a server does, and loses some on their way.
 * @returns updates in the order of the clients' names
 */
export async function sendUpdates(
  federation: OpenFederation,
  position: Position,
  options: SendUpdatesOptions,
): Promise<readonly SentUpdate[]> {
  const asked = options.clients.map((name) => clientOf(federation, name));
  const attacksUpdates = federation.attack?.of.kind === "update";
  const trains = ({ attacker }: OpenClient) => !(attacker && attacksUpdates);
  const trained = await trainAll(federation, position, asked.filter(trains), options);
  const honest = [...trained.values()].flatMap((one) => (typeof one === "string" ? [] : [one.network]));
  const forged =
    honest.length > 0 && asked.some((client) => !trains(client))
      ? await attackUpdates(federation, position.network, honest, options.round)
      : undefined;
  const updates: SentUpdate[] = [];
  for (const client of asked) {
    if (isLost(federation, client, options)) continue;
    const one = trained.get(client.client);
    if (typeof one === "string") updates.push({ client: client.client, refused: one });
    else if (one !== undefined) updates.push(await checkUpdate(federation, one));
    else if (forged !== undefined) {
      const state = position.clients.get(client.client) ?? {};
      // The mean loss of the honest clients does not reveal the attacker to rules that weigh clients by loss.
      updates.push(
        await checkUpdate(federation, { client, network: forged, loss: meanLoss(trained), state }),
      );
    }
  }
  return updates;
}

async function trainAll(
  federation: OpenFederation,
  position: Position,
  clients: readonly OpenClient[],
  { round, files, signal, onProgress }: SendUpdatesOptions,
): Promise<ReadonlyMap<string, TrainedClient | string>> {
  const trained = new Map<string, TrainedClient | string>();
  for (const [i, client] of clients.entries()) {
    signal?.throwIfAborted();
    const made = () => trainClient(federation, position, { client, round, signal });
    trained.set(client.client, files === undefined ? await made() : await files.readOrWrite(client, made));
    onProgress?.((i + 1) / clients.length);
  }
  return trained;
}

/** Checks an update as a server does: a NaN would spoil the network of all. */
async function checkUpdate(
  { treatments }: OpenFederation,
  {
    client: { client, positions },
    network,
    loss,
    trainLoss,
    state,
    variateChange,
  }: Pick<TrainedClient, "client" | "network" | "state"> & {
    readonly loss?: number | undefined;
    readonly trainLoss?: number;
    readonly variateChange?: Checkpoint;
  },
): Promise<SentUpdate> {
  const sent = [...treatments].flatMap(([name, treatment]) => (treatment === "keep" ? [] : [name]));
  if (!(await allFinite(network, sent))) return { client, refused: "it has numbers that are not finite" };
  return {
    client,
    network,
    hash: await hashNetwork(network),
    examples: positions.length,
    state,
    ...(loss !== undefined && Number.isFinite(loss) && { loss }),
    ...(trainLoss !== undefined && { trainLoss }),
    ...(variateChange && { variateChange }),
  };
}

/** Averages the losses that honest clients send; undefined if they send none. */
function meanLoss(trained: ReadonlyMap<string, TrainedClient | string>): number | undefined {
  const losses = [...trained.values()].flatMap((one) =>
    typeof one === "string" || one.loss === undefined ? [] : [one.loss],
  );
  if (losses.length === 0) return undefined;
  return meanOf(losses);
}

/** Decides whether the update of a client is lost on its way. */
function isLost(
  { description: { lost, seed } }: OpenFederation,
  { client }: OpenClient,
  { round, attempt }: SendUpdatesOptions,
): boolean {
  return lost > 0 && createRandom(seed, `way of ${client} in ${round}, ${attempt}`).uniform() < lost;
}
