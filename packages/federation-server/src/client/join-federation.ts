import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import {
  assertWholeOptions,
  createFolder,
  InputError,
  isIsthmusError,
  lockPathOf,
  MismatchError,
  openCheckpoint,
  resolveOptions,
  takeLock,
  UsageError,
} from "@isthmus/core";
import { isLocal } from "@isthmus/federated";
import { assertDataFits, assertNetwork, type DataSet, type Engine, scoreBy } from "@isthmus/graph";
import { readArchitecture } from "@isthmus/zoo";
import { assertRequired, type RequiredProtection } from "./assert-required.ts";
import { bindFolder } from "./bind-folder.ts";
import { REQUIREMENT_DEFAULTS, requirementsOf, trustOf } from "./client-trust.ts";
import { createFederationApi, type RefusedClaim, type UpdateClaim } from "./federation-api.ts";
import { type MadeUpdate, makeUpdate, saveFinal } from "./make-update.ts";
import type { TaskAnswer } from "./parse-task.ts";
import { maskMade, takeSecureStep } from "./secure-steps.ts";
import type { ClientEvent, ClientTraining, WorkingClient } from "./working-client.ts";

/** Options of {@link joinFederation}. */
export interface JoinFederationOptions {
  /** The client's token, as `isthmus federate token` made it. */
  readonly token: string;
  /** Examples to train on, which never leave this machine. */
  readonly data: DataSet;
  /** Engine that trains and evaluates. */
  readonly engine: Engine;
  /** Folder for downloaded networks and for updates, and for the layers that the client keeps to itself. */
  readonly folder: string;
  /** Choices for training in place of the server's suggestions. @defaultValue the server's suggestions */
  readonly training?: ClientTraining;
  /** Seed of the order of examples. @defaultValue 0 */
  readonly seed?: number;
  /**
   * Milliseconds for which a server may be unreachable until the client gives up. @defaultValue 10 minutes
   */
  readonly patience?: number;
  /**
   * Largest number of bytes of a network or a graph that the client downloads, at least 1: a server cannot
   * fill the disk with more. @defaultValue 4 GB
   */
  readonly mostBytes?: number;
  /**
   * Signal that stops the client; an update that was made is sent when it starts again.
   * @defaultValue never aborted
   */
  readonly signal?: AbortSignal | undefined;
  /** Called with every event in the client's work. @defaultValue no reports */
  readonly onEvent?: ((event: ClientEvent) => void) | undefined;
  /**
   * Protections that the client insists on, whatever the server asks for, and in every round: `secure` for
   * masked updates, `identity` for clients that know each other's keys, `private` for noise that the client
   * adds, `noise` for noise that the federation promises, whoever adds it. Without requirements the client
   * does as the server asks.
   * @defaultValue none
   */
  readonly require?: readonly RequiredProtection[];
  /**
   * Smallest number of clients that a secure sum must have, if `secure` or `identity` is required.
   * @defaultValue 2
   */
  readonly leastClients?: number;
  /**
   * Smallest noise multiplier of a round, above 0, if `private` or `noise` is required. @defaultValue 1
   */
  readonly leastNoise?: number;
  /**
   * Largest norm that updates are shortened to, above 0, if `private` or `noise` is required; bounds that
   * adapt are refused with it. @defaultValue any
   */
  readonly mostClip?: number;
  /**
   * Private key of the client in PEM, Ed25519, which signs its keys of secure sums, and lists of survivors.
   * @defaultValue nothing is signed
   */
  readonly identity?: string | undefined;
  /**
   * Public keys of the other clients in PEM, by name. The client sends its update only into a secure sum
   * whose keys they signed, so that the server cannot make up clients, and reveals shares only for a list of
   * survivors that the threshold of them signed, so that the server cannot show two lists. They need an
   * `identity`.
   * @defaultValue the client takes the keys that the server hands out
   */
  readonly peers?: Readonly<Record<string, string>> | undefined;
}

/** Result of {@link joinFederation}. */
export interface JoinFederationResult {
  /** Name of the federation. */
  readonly federation: string;
  /** Name of the client, by its token. */
  readonly client: string;
  /** Path of the last global network, with the layers that the client kept to itself. */
  readonly network: string;
  /** Numbers of the rounds in which an update of this client counted. */
  readonly rounds: readonly number[];
  /** Reason why the federation failed; `null` if it finished. */
  readonly reason: string | null;
}

/** Defaults of {@link joinFederation}. */
const JOIN_FEDERATION_DEFAULTS: Required<
  Omit<JoinFederationOptions, "token" | "data" | "engine" | "folder">
> = {
  training: {},
  seed: 0,
  patience: 600_000,
  mostBytes: 4e9,
  signal: undefined,
  onEvent: undefined,
  ...REQUIREMENT_DEFAULTS,
  identity: undefined,
  peers: undefined,
};

/** Seconds that a server may wait before it answers that there is no task. */
const WAIT_SECONDS = 20;
/** Milliseconds until an update that did not fit the round is sent again for it. */
const REFUSED_MS = 10_000;
/**
 * Milliseconds until the server is asked again after it refused a message or an update that it had asked
 * for, and the least between two questions for a task if there was none.
 */
const PAUSE_MS = 1000;

/**
 * Takes part in a federation until it is over: trains on the client's examples whenever the server asks, and
 * sends the network back. A lost connection is taken up again, and uploads and downloads continue where they
 * stopped; a client that is started again in the same folder sends the update that it had trained.
 * @param url - address of the server, such as `http://127.0.0.1:8080`
 * @throws InputError if the server refuses the token, is unreachable for too long, has no graph of the
 *   network, or does not protect the client as the client requires
 * @throws InputError if the folder holds the files of another federation, or the server refuses an update
 *   for good, also after the client has trained anew
 * @throws OutOfRangeError if a number of the options is out of its range
 * @throws MismatchError if the examples do not fit the network
 */
export async function joinFederation(
  url: string,
  { token, data, engine, folder, ...rest }: JoinFederationOptions,
): Promise<JoinFederationResult> {
  const options = resolveOptions("join a federation", JOIN_FEDERATION_DEFAULTS, rest, [
    "token",
    "data",
    "engine",
    "folder",
  ]);
  const { patience, mostBytes, signal = new AbortController().signal, onEvent, training, seed } = options;
  assertWholeOptions("join a federation", { mostBytes }, { mostBytes: 1 });
  const tell = (event: ClientEvent): void => onEvent?.(event);
  if (!/^https?:\/\//.test(url)) {
    throw new UsageError(
      `Cannot join a federation at "${url}" as its address must begin with http:// or https://`,
    );
  }
  const trust = trustOf(options);
  const requirements = requirementsOf(options, trust);
  const api = createFederationApi({
    url: url.replace(/\/+$/, ""),
    token,
    patience,
    mostBytes,
    signal,
    onLost: (reason, secondsLeft) => tell({ kind: "lost", reason, secondsLeft }),
  });
  const about = await api.about();
  assertRequired(about, requirements);
  tell({ kind: "joined", federation: about.name, client: about.client, rounds: about.rounds });
  await createFolder(folder);
  const elsewhere = "name another folder with --folder (in a script: folder)";
  const release = await takeLock(lockPathOf(join(folder, "client"), "client"), folder, elsewhere);
  try {
    await bindFolder(folder, about);
    return await work({
      api,
      about,
      trust,
      requirements,
      engine,
      data,
      folder,
      training,
      seed,
      signal,
      tell,
    });
  } finally {
    await release();
  }
}

/** Carries out the server's tasks until the federation is over. */
async function work(without: Omit<WorkingClient, "graph">): Promise<JoinFederationResult> {
  const { api, about, folder, signal } = without;
  const graphPath = join(folder, "graph.onnx");
  await api.graph(graphPath);
  const { graph } = await readArchitecture(graphPath);
  const client = { ...without, graph: scoreBy(graph, about.loss ?? undefined) };
  await assertGraphOf(client);
  assertDataFits("take part in a federation", client.graph, client.data, 1);
  const rounds: number[] = [];
  let refused: RefusedRound | undefined;
  for (;;) {
    signal.throwIfAborted();
    const task = await nextTask(client);
    if (task.task === "finished") {
      const network = await saveFinal(client, task.network);
      return { federation: about.name, client: about.client, network, rounds, reason: task.reason };
    }
    await assertStillRequired(client, task);
    if (task.task === "wait") continue;
    if (task.task === "secure") await takeStep(client, task);
    else {
      const outcome = await takeRoundAgain(client, task, refused);
      refused = outcome.kind === "refused" ? outcome : undefined;
      if (outcome.kind === "counted") rounds.push(task.round);
    }
  }
}

/** Asks for a task, which takes at least a second if there is none, however soon the server answers. */
async function nextTask(client: WorkingClient): Promise<TaskAnswer> {
  const asked = performance.now();
  const task = await client.api.task(WAIT_SECONDS);
  if (task.task !== "wait") return task;
  client.tell({ kind: "waiting", reason: task.reason });
  if (performance.now() - asked < PAUSE_MS) await pause(client);
  return task;
}

/**
 * Checks before the work for a round that the federation still protects its clients as this one requires: a
 * server may be started again with another file, or may not keep its promises.
 * @throws InputError if it does not any more
 */
async function assertStillRequired({ api, requirements }: WorkingClient, task: TaskAnswer): Promise<void> {
  const isWork = task.task === "train" || (task.task === "secure" && task.step === "keys");
  if (isWork && requirements.require.length > 0) assertRequired(await api.about(), requirements);
}

/**
 * Checks that the graph of the server reads the network that it sends.
 * @throws MismatchError if it does not, which only the owner of the server can mend
 */
async function assertGraphOf({ api, about, folder, graph }: WorkingClient): Promise<void> {
  const path = join(folder, "global.safetensors");
  await api.download(about.network, path);
  const network = await openCheckpoint(path);
  try {
    assertNetwork(graph, network);
  } catch (error) {
    if (!isIsthmusError(error, "MismatchError")) throw error;
    const names = [...network.tensors.keys()].filter((name) => !graph.weights.has(name));
    throw new MismatchError(
      `Cannot take part in "${about.name}" as the graph of its server must read the network that it sends: they differ in ${names.length} of ${network.tensors.size} tensors; tell the owner of the server, who must export the graph without optimization or constant folding`,
      { parameters: names, cause: error },
    );
  } finally {
    await network.close();
  }
}

/** Takes a step of a secure sum. */
async function takeStep(
  client: WorkingClient,
  { round, step }: Extract<TaskAnswer, { task: "secure" }>,
): Promise<void> {
  const refusal = await takeSecureStep(client, round);
  if (refusal === undefined) client.tell({ kind: "secure", round, step });
  else {
    client.tell({ kind: "refused", round, reason: refusal });
    await pause(client);
  }
}

/** Waits until the server may have gone on without this client. */
const pause = ({ signal }: WorkingClient): Promise<void> => setTimeout(PAUSE_MS, undefined, { signal });

/** Outcome of a client's work for a round. */
type RoundOutcome =
  | { readonly kind: "counted" }
  /** The secure sum of the round went on without this client, or begins again. */
  | { readonly kind: "missed" }
  | RefusedRound;

/** A round whose update was refused. */
interface RefusedRound {
  readonly kind: "refused";
  readonly round: number;
  /** Whether the bytes cannot count, also if they are sent again; else they did not fit the round. */
  readonly forGood: boolean;
  readonly reason: string;
}

/**
 * Takes a round, which may be one whose update was refused before. An update that did not fit the round is
 * sent again after a while; for one that was refused for good, the client trains anew once.
 * @throws InputError if the update of a training anew is refused for good, too
 */
async function takeRoundAgain(
  client: WorkingClient,
  task: Extract<TaskAnswer, { task: "train" }>,
  refused: RefusedRound | undefined,
): Promise<RoundOutcome> {
  if (refused?.round !== task.round) return takeRound(client, task, { anew: false });
  if (!refused.forGood) {
    // The same answer would come at once.
    client.tell({ kind: "waiting", reason: refused.reason });
    await setTimeout(REFUSED_MS, undefined, { signal: client.signal });
  }
  const outcome = await takeRound(client, task, { anew: refused.forGood });
  if (outcome.kind !== "refused" || !outcome.forGood || !refused.forGood) return outcome;
  throw uselessError(client, outcome.reason);
}

/** Trains for a round and sends the result. */
async function takeRound(
  client: WorkingClient,
  { round, network }: Extract<TaskAnswer, { task: "train" }>,
  { anew }: { readonly anew: boolean },
): Promise<RoundOutcome> {
  const { tell } = client;
  const { secure } = client.about;
  const made = await makeUpdate(client, { round, network }, { anew });
  const sent = secure ? await maskMade(client, round, made) : made;
  if (sent === undefined) return miss(client);
  const refusal = await sendMade(client, round, { ...made, ...sent });
  if (refusal === undefined) {
    tell({ kind: "sent", round, loss: made.loss });
    return { kind: "counted" };
  }
  const { kind, reason } = refusal;
  tell({ kind: "refused", round, reason });
  // Masks belong to one start of a round: in the next start, the client sends other bytes.
  if (secure || kind === "missing") return miss(client);
  return { kind: "refused", round, forGood: kind === "unusable", reason };
}

/** Number of times that bytes are sent which the server says it does not have. */
const SENDINGS = 3;

/**
 * Sends an update and lets it count; sends its bytes again if a server that was started again has lost them.
 */
async function sendMade(
  client: WorkingClient,
  round: number,
  { path, ...claim }: MadeUpdate,
): Promise<RefusedClaim | undefined> {
  const { api } = client;
  for (let sending = 1; ; sending++) {
    await api.upload(path, claim.hash);
    const refusal = await api.send(round, claimOf(client, claim));
    if (refusal?.kind !== "missing" || sending === SENDINGS) return refusal;
  }
}

/** Returns the error of a client whose update was refused for good, also after it had trained anew. */
function uselessError({ about, folder }: WorkingClient, reason: string): InputError {
  return new InputError(
    `Cannot go on with "${about.name}" as an update must count that was trained anew after a refusal: ${reason}; nothing more is sent: look at the examples and at the choices for training, and start again in the same folder, "${folder}"`,
    { input: "update" },
  );
}

async function miss(client: WorkingClient): Promise<RoundOutcome> {
  await pause(client);
  return { kind: "missed" };
}

/** Returns the claim of a client about its update; of a private update it has no number without noise. */
function claimOf(
  { about: { privacy, secure } }: WorkingClient,
  claim: Omit<MadeUpdate, "path">,
): UpdateClaim {
  if (secure) return { hash: claim.hash, examples: 1 };
  if (privacy === null) return claim;
  return { hash: claim.hash, examples: isLocal(privacy) ? 1 : claim.examples };
}
