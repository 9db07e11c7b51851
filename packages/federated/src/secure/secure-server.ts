import { at, FormatError, InputError, UsageError } from "@isthmus/core";
import { KEY_BYTES } from "../random/derive-key.ts";
import { assertMessage, assertNames } from "./check-message.ts";
import { SIGNATURE_BYTES } from "./identity.ts";
import { agreeOnKey, commitTo, decodeBytes } from "./key-agreement.ts";
import type {
  ClientMessage,
  ConfirmMessage,
  KeyPairMessage,
  RevealedShare,
  RevealMessage,
  ServerMessage,
  SharesMessage,
} from "./messages.ts";
import { sealedBytes } from "./seal.ts";
import { SHARE_BYTES } from "./secret-shares.ts";
import { sortNames } from "./secure-client.ts";
import { assertSecureSettings, type SecureSettings, wordsOf } from "./secure-settings.ts";

/** Stage of a secure sum: the kind of messages that the server collects, one kind after another. */
export type SecureStage = "keys" | "shares" | "masked" | "confirm" | "reveal";

/** Stages of a secure sum but the one of masked updates, which ends with its round. */
export type MessageStage = Exclude<SecureStage, "masked">;

/**
 * State of a server in a secure sum: plain data, which a journal can keep, without any secret of a client.
 */
export interface SecureServerState {
  /** Messages that are collected now; `done` once enough shares were revealed. */
  readonly stage: SecureStage | "done";
  /** Settings of the sum: session, clients, threshold, range. */
  readonly settings: SecureSettings;
  /** Public keys, in the order of the clients' names once collected. */
  readonly keys: readonly KeyPairMessage[];
  /** Messages with encrypted shares, in the order of the clients' names; empty before that stage. */
  readonly shares: readonly SharesMessage[];
  /** Names of clients whose masked update is complete. */
  readonly masked: readonly string[];
  /** Signatures of the list of survivors, in the order of the clients' names; empty in sums without them. */
  readonly confirms: readonly ConfirmMessage[];
  /** Messages with revealed shares, in the order of the clients' names; empty before that stage. */
  readonly reveals: readonly RevealMessage[];
}

/** A secret with which public keys are tested: with a few of them, no secret at all can agree on a key. */
const PROBE: Uint8Array = new Uint8Array(KEY_BYTES).fill(1);

const NEXT = {
  keys: "shares",
  shares: "masked",
  masked: "confirm",
  confirm: "reveal",
  reveal: "done",
} as const;

/**
 * Begins a secure sum at the server, which then collects keys.
 * @throws UsageError if names are missing or not unique
 * @throws OutOfRangeError if a number is out of its range
 */
export function openSecureServer(settings: SecureSettings): SecureServerState {
  assertSecureSettings(settings);
  return { stage: "keys", settings, keys: [], shares: [], masked: [], confirms: [], reveals: [] };
}

/**
 * Takes a message of a client, after checking it as far as the server can.
 * @throws FormatError if the message is of another stage or session, of a client that is not or no longer
 * part of the sum, sent twice, or damaged; the state stays, and the client can send a correct message or
 * counts as dropped out
 */
export function receiveSecure(state: SecureServerState, message: ClientMessage): SecureServerState {
  const { stage, settings } = state;
  if (stage === "done") {
    throw new FormatError(
      `Cannot take "${message.kind}" of "${message.client}" as "${settings.session}" must still collect messages: it is over`,
      { format: "secure sum" },
    );
  }
  assertMessage(message, stage, settings.session);
  if (!partOf(state).includes(message.client)) {
    throw new FormatError(
      `Cannot take "${message.kind}" of "${message.client}" as only clients that took every step before may go on`,
      { format: "secure sum" },
    );
  }
  if (sendersOf(state).includes(message.client)) {
    throw new FormatError(
      `Cannot take "${message.kind}" of "${message.client}" as it must come once: there is one`,
      {
        format: "secure sum",
      },
    );
  }
  switch (message.kind) {
    case "keys":
      assertKeys(state, message);
      return { ...state, keys: insert(state.keys, message) };
    case "shares":
      assertShares(state, message);
      return { ...state, shares: insert(state.shares, message) };
    case "masked":
      assertWords(settings, message);
      return { ...state, masked: sortNames([...state.masked, message.client]) };
    case "confirm":
      decodeBytes(message.signature, SIGNATURE_BYTES, `the signature of "${message.client}"`);
      return { ...state, confirms: insert(state.confirms, message) };
    case "reveal":
      assertReveal(state, message);
      return { ...state, reveals: insert(state.reveals, message) };
  }
}

/**
 * Ends a stage, at its deadline or when all have sent, and returns the next messages to clients. A client
 * that has not sent in time has dropped out.
 * @throws InputError if fewer than the threshold are left: then the sum must begin again, under another
 * session
 * @throws UsageError if there is no stage to end
 */
export function closeStage(state: SecureServerState): {
  readonly state: SecureServerState;
  readonly messages: readonly { readonly to: string; readonly message: ServerMessage }[];
} {
  const { stage, settings } = state;
  if (stage === "done") {
    throw new UsageError(
      `Cannot end a stage of "${settings.session}" as all of its stages must not be over yet`,
    );
  }
  const senders = sendersOf(state);
  if (senders.length < settings.threshold) {
    throw new InputError(
      `Cannot go on with "${settings.session}" after "${stage}" as at least ${settings.threshold} clients must be ` +
        `left: there are ${senders.length}, without ${missing(partOf(state), senders)}; begin a new session`,
      { input: stage },
    );
  }
  const messages = senders.flatMap((to) => messagesTo(state, stage, to));
  const next = stage === "masked" && !isConfirmed(state) ? "reveal" : NEXT[stage];
  return { state: { ...state, stage: next }, messages };
}

/**
 * Returns the message of the server that a client needs for its part in the stage; undefined in the first
 * stage and after the last.
 */
export function messageTo(state: SecureServerState, client: string): ServerMessage | undefined {
  const before = {
    keys: undefined,
    shares: "keys",
    masked: "shares",
    confirm: "masked",
    reveal: isConfirmed(state) ? "confirm" : "masked",
    done: undefined,
  } as const;
  const closed = before[state.stage];
  return closed && messagesTo(state, closed, client)[0]?.message;
}

/** Returns the clients that may still send in the stage. */
export function awaitedBySum(state: SecureServerState): readonly string[] {
  if (state.stage === "done") return [];
  const senders = sendersOf(state);
  return partOf(state).filter((client) => !senders.includes(client));
}

/** Returns the number of clients that have sent in the stage. */
export function countSenders(state: SecureServerState): number {
  return sendersOf(state).length;
}

/** Says whether clients sign the list of survivors: if all of the roster said that they will. */
function isConfirmed({ keys }: SecureServerState): boolean {
  return keys.every(({ confirms }) => confirms === true);
}

/** Returns the names of the clients whose updates may be in the sum, as they sent shares. */
export function sharersOf({ shares }: SecureServerState): string[] {
  return namesOf(shares);
}

const namesOf = (messages: readonly { readonly client: string }[]): string[] =>
  messages.map(({ client }) => client);

function messagesTo(
  { settings: { session }, keys, shares, masked, confirms }: SecureServerState,
  stage: SecureStage,
  client: string,
): { readonly to: string; readonly message: ServerMessage }[] {
  switch (stage) {
    case "keys":
      return [{ to: client, message: { kind: "roster", session, keys: keysFor(keys, client) } }];
    case "shares": {
      const sent = shares.flatMap((message) => message.shares.filter(({ to }) => to === client));
      return [{ to: client, message: { kind: "delivery", session, client, shares: sent } }];
    }
    case "masked":
      return [{ to: client, message: { kind: "survivors", session, survivors: masked } }];
    case "confirm": {
      const signatures = confirms.map(({ client: name, signature }) => ({ client: name, signature }));
      return [{ to: client, message: { kind: "survivors", session, survivors: masked, signatures } }];
    }
    case "reveal":
      return [];
  }
}

/** Returns the keys for a client: of earlier versions, which sign no lists, clients take no such field. */
function keysFor(keys: readonly KeyPairMessage[], client: string): readonly KeyPairMessage[] {
  if (keys.find((message) => message.client === client)?.confirms === true) return keys;
  return keys.map(({ confirms: _, ...others }) => others);
}

/** Returns the clients that may send in the current stage. */
function partOf(state: SecureServerState): readonly string[] {
  const { stage, settings, keys } = state;
  if (stage === "keys") return sortNames(settings.clients);
  if (stage === "shares") return namesOf(keys);
  if (stage === "masked") return sharersOf(state);
  return stage === "reveal" && isConfirmed(state) ? namesOf(state.confirms) : state.masked;
}

/** Returns the clients that have sent in the current stage. */
function sendersOf(state: SecureServerState): readonly string[] {
  const { stage, keys, shares, masked, confirms, reveals } = state;
  if (stage === "masked") return masked;
  return namesOf({ keys, shares, confirm: confirms, reveal: reveals, done: reveals }[stage]);
}

function insert<M extends { readonly client: string }>(messages: readonly M[], message: M): M[] {
  return [...messages, message].sort((a, b) => (a.client < b.client ? -1 : Number(a.client > b.client)));
}

/** Checks the keys of a client as all other clients will, as a wrong key would stop all of them. */
function assertKeys({ keys }: SecureServerState, { client, cipherKey, maskKey }: KeyPairMessage): void {
  const sent = [cipherKey, maskKey];
  for (const key of sent) agreeOnKey(PROBE, key, "probe");
  const all = [...sent, ...keys.flatMap((other) => [other.cipherKey, other.maskKey])];
  if (new Set(all).size === all.length) return;
  throw new FormatError(
    `Cannot take the keys of "${client}" as all keys of a secure sum must be different: one is there twice`,
    { format: "secure sum" },
  );
}

function assertShares(
  { keys }: SecureServerState,
  { client, shares, commitments, selfMaskCommitment }: SharesMessage,
): void {
  const what = `the shares of "${client}"`;
  const names = keys.map((key) => key.client);
  assertNames(
    what,
    shares.map(({ to }) => to),
    names,
  );
  assertNames(
    what,
    shares.map(({ from }) => from),
    names.map(() => client),
  );
  assertNames(
    what,
    commitments.map(({ to }) => to),
    names,
  );
  for (const { sealed } of shares) decodeBytes(sealed, sealedBytes(2 * SHARE_BYTES), what);
  for (const hash of [
    selfMaskCommitment,
    ...commitments.flatMap(({ maskKey, selfMask }) => [maskKey, selfMask]),
  ]) {
    decodeBytes(hash, KEY_BYTES, what);
  }
}

function assertWords(settings: SecureSettings, { client, words }: { client: string; words: number }): void {
  if (words === wordsOf(settings)) return;
  throw new FormatError(
    `Cannot take the masked update of "${client}" as it must have ${wordsOf(settings)} words: it has ${words}`,
    { format: "secure sum" },
  );
}

/** Checks that a client reveals the shares that were requested, each one as its owner gave it out. */
function assertReveal(state: SecureServerState, { client, selfMasks, maskKeys }: RevealMessage): void {
  const { masked } = state;
  const lost = sharersOf(state).filter((name) => !masked.includes(name));
  const what = `the shares that "${client}" reveals`;
  assertNames(
    what,
    selfMasks.map(({ of }) => of),
    masked,
  );
  assertNames(
    what,
    maskKeys.map(({ of }) => of),
    lost,
  );
  for (const share of selfMasks) assertCommitted(state, client, share, "selfMask");
  for (const share of maskKeys) assertCommitted(state, client, share, "maskKey");
}

function assertCommitted(
  { settings, shares }: SecureServerState,
  client: string,
  { of, share }: RevealedShare,
  secret: "selfMask" | "maskKey",
): void {
  const bytes = decodeBytes(share, SHARE_BYTES, `a share of "${of}"`);
  const owner = at(
    shares,
    shares.findIndex((message) => message.client === of),
  );
  const commitment = owner.commitments.find(({ to }) => to === client);
  const purpose = secret === "selfMask" ? "self mask" : "mask key";
  if (commitment?.[secret] === commitTo(bytes, settings.session, of, client, purpose)) return;
  throw new FormatError(
    `Cannot take the share of "${of}" that "${client}" reveals as it must be the one that "${of}" gave out: it was changed`,
    { format: "secure sum" },
  );
}

function missing(expected: readonly string[], senders: readonly string[]): string {
  return (
    expected
      .filter((name) => !senders.includes(name))
      .map((name) => `"${name}"`)
      .join(", ") || "nobody"
  );
}
