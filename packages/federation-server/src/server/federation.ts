import { rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { digestFile, openCheckpoint, saveCheckpoint, saveFile } from "@isthmus/core";
import {
  advance,
  type FederationEvent,
  type FederationState,
  isLocal,
  resolveStrategy,
  type Seed,
  sortFactors,
  timeOfNext,
} from "@isthmus/federated";
import { encodeGraph } from "@isthmus/graph";
import { assertServedPrivacy } from "../config/assert-served-privacy.ts";
import { assertServedSecure } from "../config/assert-served-secure.ts";
import type { FederationConfig } from "../config/federation-config.ts";
import { type Journal, openJournal } from "../journal/journal.ts";
import { openIdentity } from "../store/identity.ts";
import { openNoiseSecret } from "../store/noise-secret.ts";
import { keepUpdates, openStore, publish, type Store } from "../store/store.ts";
import type { Workers } from "../work/workers.ts";
import { type Clock, createClock, notBehind } from "./clock.ts";
import { createEventBudget } from "./event-budget.ts";
import { createSignal } from "./events.ts";
import { assertKnownFiles } from "./known-files.ts";
import { prepareNetwork } from "./prepare-network.ts";
import { beginRestoring } from "./restore-state.ts";
import type { Federation, Log, UntimedEvent } from "./running-federation.ts";
import { createStepper } from "./stepper.ts";
import { watchPresence } from "./watch-presence.ts";

/** Workers, log and clock of a running federation. */
export interface FederationPorts {
  /** Workers that check updates, aggregate rounds and evaluate networks. */
  readonly workers: Workers;
  /** Log for events of the federation and for troubles. */
  readonly log: Log;
  /** Clock in milliseconds. @defaultValue a monotonic clock that begins at the time of day */
  readonly now?: Clock;
  /**
   * Called if the journal cannot be written any more, or the folder is damaged. No event happens afterwards:
   * the process should end.
   */
  readonly onFatal: (error: unknown) => void;
}

/**
 * Opens a federation: a new federation, or one that was interrupted, which continues at the end of its
 * journal.
 * @throws MismatchError if the folder has a federation of another plan or network, or the graph is not that
 *   of the network
 * @throws FormatError if the journal is damaged, or a file is not the one that the journal names
 * @throws InputError if the network cannot be read
 * @throws UnsupportedError if the strategy is private, and a choice breaks the account
 */
export async function openFederation(config: FederationConfig, ports: FederationPorts): Promise<Federation> {
  assertServedPrivacy(config);
  assertServedSecure(config);
  const store = await openStore(config.folder);
  const initial = await importNetwork(config, store);
  const { graph, ...special } = await prepareNetwork(config, store.model(initial));
  const { journal, restored } = await openOwnJournal(config, store, initial);
  try {
    const { state } = restored;
    if (graph !== undefined) await saveFile(store.graph, encodeGraph(graph));
    await assertKnownFiles(store, state);
    await keepUpdates(store, pathsOf(store, state));
    const { size } = await stat(store.model(initial));
    if (journal.torn > 0)
      ports.log.warn({ bytes: journal.torn }, "dropped a torn line at the end of the journal");
    ports.log.info({ events: journal.lines, round: state.history.length + 1 }, "federation opened");
    const noiseSeed = await openNoiseSeed(config, store);
    if (config.plan.secure !== null) {
      const notChecked =
        "updates are masked: neither their numbers, nor norms, nor counts of examples can be checked";
      ports.log.warn({ threshold: config.plan.secure.threshold }, notChecked);
    }
    const identity = await openIdentity(store, journal.lines === 0);
    const graphPath = graph === undefined ? null : store.graph;
    return run(
      {
        config,
        store,
        journal,
        state,
        networkBytes: size,
        ...special,
        noiseSeed,
        identity,
        graph: graphPath,
      },
      ports,
    );
  } catch (error) {
    await journal.close();
    throw error;
  }
}

/**
 * Writes the network into the store as safetensors under its hash, completely or not at all, with the
 * directions of shared adapters in falling order; returns the hash.
 */
async function importNetwork({ network: path, strategy }: FederationConfig, store: Store): Promise<string> {
  const copy = join(store.folder, "models", "initial.unfinished.safetensors");
  const network = await openCheckpoint(path);
  try {
    const { treatments } = resolveStrategy(undefined, network, strategy);
    const sorted = await sortFactors(network, treatments);
    await saveCheckpoint(sorted, copy, { overwrite: true, durable: true });
  } finally {
    await network.close();
  }
  const hash = await digestFile(copy);
  await publish(copy, store.model(hash));
  return hash;
}

/**
 * Opens the journal of a federation. A journal of another federation in which nothing has happened yet is
 * replaced, as by a mended file after a first start.
 */
async function openOwnJournal(config: FederationConfig, store: Store, initial: string) {
  const restored = beginRestoring(config, initial);
  const journal = await openJournal(store.journal, restored.take);
  if (journal.lines > 0 && !restored.isForeign) return { journal, restored };
  if (restored.isForeign) {
    await journal.close();
    await rm(store.journal);
    return openOwnJournal(config, store, initial);
  }
  await journal.append(restored.header);
  return { journal, restored };
}

/** Returns the paths of the updates that still count. */
function pathsOf(store: Store, { updates, held }: FederationState): ReadonlySet<string> {
  return new Set([...updates, ...held].map((update) => store.update(update)));
}

/** Returns the seed of the noise, or null if the server adds none. */
async function openNoiseSeed({ strategy, noiseSeed }: FederationConfig, store: Store): Promise<Seed | null> {
  const { privacy } = strategy;
  if (privacy === undefined || isLocal(privacy)) return null;
  return noiseSeed ?? openNoiseSecret(store);
}

/**
 * Returns the fields of an event for the log: of a message of a secure sum its client and kind, without
 * shares, and of an update no number of examples if that is hidden and replaced by 1.
 */
function loggedOf(event: FederationEvent, { plan, strategy: { privacy } }: FederationConfig): object {
  const isHidden = plan.secure !== null || (privacy !== undefined && isLocal(privacy));
  if (event.kind === "update-received" && isHidden) {
    const { examples: _, ...rest } = event;
    return rest;
  }
  if (event.kind !== "secure-received") return event;
  const { message, ...rest } = event;
  return { ...rest, client: message.client, message: message.kind };
}

function isTrouble(event: FederationEvent): boolean {
  if (event.kind === "failed" || event.kind === "round-failed") return true;
  return event.kind === "round-aggregated" && event.warning !== undefined;
}

interface Opened
  extends Omit<
    Federation,
    | "state"
    | "stamps"
    | "workers"
    | "ended"
    | "now"
    | "changed"
    | "waitsForRoom"
    | "happen"
    | "attend"
    | "close"
  > {
  readonly journal: Journal;
  readonly state: FederationState;
}

function run(opened: Opened, ports: FederationPorts): Federation {
  const { journal, state: _, ...facts } = opened;
  const { config } = facts;
  const { workers, log, onFatal } = ports;
  const now = notBehind(ports.now ?? createClock(), opened.state.at);
  const changed = createSignal();
  const stopping = new AbortController();
  const budget = createEventBudget();
  const waitsForRoom = new Set<"journal" | "step">();
  let state = opened.state;

  journal.waitForRoom(stopping.signal, (error) => {
    if (error === undefined) {
      log.info({}, "the disk has room again");
      waitsForRoom.delete("journal");
    } else {
      log.error({ err: error }, "cannot write the journal; going on once there is room");
      waitsForRoom.add("journal");
    }
    changed.tell();
  });
  const fail = (error: unknown): void => {
    if (!stopping.signal.aborted) onFatal(error);
    stopping.abort();
  };
  const happen = async (event: UntimedEvent): Promise<boolean> => {
    const admitted = budget.admit(event, state);
    if (admitted === undefined) return false;
    const timed = { ...admitted, at: timeOfNext(state, now()) } as FederationEvent;
    const next = advance(config.plan, state, timed);
    if (next === state || stopping.signal.aborted) return false;
    state = next;
    const written = journal.append(timed);
    changed.tell();
    await written.catch((error: unknown) => {
      fail(error);
      throw error;
    });
    log[isTrouble(timed) ? "warn" : "info"]({ event: loggedOf(timed, config) }, event.kind);
    stepper.wake();
    return true;
  };
  const federation: Federation = {
    ...facts,
    stamps: new Map(),
    workers,
    changed,
    waitsForRoom,
    happen,
    now,
    ended: stopping.signal,
    get state() {
      return state;
    },
    attend: (client) => presence.attend(client),
    async close() {
      stopping.abort();
      presence.close();
      changed.tell();
      await stepper.close();
      await journal.close();
    },
  };
  const stepper = createStepper(federation, { log, onFatal: fail });
  const presence = watchPresence(federation);
  stepper.wake();
  return federation;
}
