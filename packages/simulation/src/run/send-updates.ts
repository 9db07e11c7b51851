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
      readonly client: string;
      readonly refused?: undefined;
      readonly network: Checkpoint;
      readonly hash: string;
      readonly examples: number;
      readonly loss?: number | undefined;
      /** Mean loss of the client's last epoch; missing for attackers on updates. */
      readonly trainLoss?: number;
      readonly state: ClientState;
      readonly variateChange?: Checkpoint | undefined;
    }
  | { readonly client: string; readonly refused: string };

/** An update that passed the checks of the server. */
export type CountedUpdate = Extract<SentUpdate, { readonly network: unknown }>;

/** Clients that a round asks, and files for their updates. */
export interface SendUpdatesOptions {
  readonly round: number;
  readonly attempt: number;
  readonly clients: readonly string[];
  /** Files for the updates of clients; missing to hold updates in memory. */
  readonly files?: UpdateFiles | undefined;
  readonly signal?: AbortSignal | undefined;
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
