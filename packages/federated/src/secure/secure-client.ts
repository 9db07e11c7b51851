import { at, FormatError, UsageError } from "@isthmus/core";
import { concatBytes } from "@isthmus/platform";
import { deriveKey } from "../random/derive-key.ts";
import { assertMessage, assertNames, assertSomeOf } from "./check-message.ts";
import { assertConfirmed, assertSigned, signKeys, signSurvivors } from "./identity.ts";
import { agreeOnKey, commitTo, decodeBytes, encodeBytes, publicKeyOf } from "./key-agreement.ts";
import { type Mask, maskSign } from "./masks.ts";
import type {
  ConfirmMessage,
  DeliveryMessage,
  EncryptedShares,
  KeyPairMessage,
  RevealedShare,
  RevealMessage,
  RosterMessage,
  SharesMessage,
  SurvivorsMessage,
} from "./messages.ts";
import { openSealed, sealBytes } from "./seal.ts";
import { SHARE_BYTES, splitSecret } from "./secret-shares.ts";
import { assertSecureSettings, type SecureSettings } from "./secure-settings.ts";

/**
 * State of a client in a secure sum: plain data, which may be stored to go on after a restart, and must be
 * kept secret.
 */
export interface SecureClientState {
  /**
   * The message that is expected next; `signatures` after the list of survivors was signed, `done` after the
   * shares were revealed.
   */
  readonly awaits: "roster" | "delivery" | "survivors" | "signatures" | "done";
  /** Settings of the sum: session, clients, threshold, range. */
  readonly settings: SecureSettings;
  /** Name of this client. */
  readonly client: string;
  /** 32 bytes in base64, from which the client's keys are derived. */
  readonly secret: string;
  /** Keys of all clients; empty until the roster has arrived. */
  readonly roster: readonly KeyPairMessage[];
  /** Encrypted shares of the clients whose updates may be summed; empty until the shares have arrived. */
  readonly shares: readonly EncryptedShares[];
  /** Clients whose update is in the sum; empty until their list was signed, or shares were revealed. */
  readonly survivors: readonly string[];
}

/** Result of a step of a client: its new state, and the message to send. */
export interface SecureClientStep<M> {
  /** State after the step, to be stored before the message is sent. */
  readonly state: SecureClientState;
  /** Message to send to the server. */
  readonly message: M;
}

/**
 * Begins a client's part in a secure sum, with its public keys (round 0 of Bonawitz et al.).
 * @param secret - 32 bytes of `drawSecret`, drawn anew for each session: two updates hidden by the same masks
 * reveal their difference
 * @param identity - the client's private key in PEM, Ed25519, which signs its public keys. @defaultValue not
 * signed, nor is the list of survivors
 * @throws UsageError if the client is not invited, or the secret has another length
 * @see Bonawitz et al., Practical secure aggregation for privacy-preserving machine learning, 2017, figure 4
 */
export function openSecureClient(
  settings: SecureSettings,
  client: string,
  secret: Uint8Array,
  identity?: string,
): SecureClientStep<KeyPairMessage> {
  assertSecureSettings(settings);
  if (!settings.clients.includes(client)) {
    throw new UsageError(
      `Cannot take part in "${settings.session}" as "${client}" as the client must be invited: ask the server`,
    );
  }
  const state: SecureClientState = {
    awaits: "roster",
    settings,
    client,
    secret: encodeBytes(secret),
    roster: [],
    shares: [],
    survivors: [],
  };
  const keys = keysOf(state);
  return {
    state,
    message: identity === undefined ? keys : signKeys({ ...keys, confirms: true }, settings, identity),
  };
}

/**
 * Splits the client's two secrets among all clients of the roster, each share encrypted for its holder
 * (round 1).
 * @param publicKeys - public keys of the other clients in PEM, by name: the roster must be signed by them.
 * @defaultValue any roster is taken, so that a server that lies may have made up the others
 * @throws FormatError if the roster is of another session, too small, has not the client's keys, or is not
 * signed by clients that are known
 */
export async function shareSecrets(
  state: SecureClientState,
  roster: RosterMessage,
  publicKeys?: ReadonlyMap<string, string>,
): Promise<SecureClientStep<SharesMessage>> {
  const { settings, client } = state;
  const { session, threshold } = settings;
  assertAwaits(state, "roster");
  assertMessage(roster, "roster", session);
  const names = roster.keys.map((keys) => keys.client);
  assertSomeOf("the roster", names, { expected: sortNames(settings.clients), threshold });
  assertRoster(state, roster.keys);
  const others = roster.keys.filter((keys) => keys.client !== client);
  if (publicKeys !== undefined) assertSigned(others, settings, publicKeys);
  const maskShares = await splitSecret(secretOf(state, "mask key"), names.length, threshold);
  const selfShares = await splitSecret(secretOf(state, "self mask"), names.length, threshold);
  const sealed = roster.keys.map(({ client: to, cipherKey }, i) => {
    const bytes = concatBytes([at(maskShares, i), at(selfShares, i)]);
    const key = agreeOnKey(secretOf(state, "cipher key"), cipherKey, "shares", session, client, to);
    return { from: client, to, sealed: sealBytes(key, bytes, [session, client, to]) };
  });
  const commitments = names.map((to, i) => ({
    to,
    maskKey: commitTo(at(maskShares, i), session, client, to, "mask key"),
    selfMask: commitTo(at(selfShares, i), session, client, to, "self mask"),
  }));
  return {
    state: { ...state, awaits: "delivery", roster: roster.keys },
    message: {
      kind: "shares",
      session,
      client,
      shares: sealed,
      commitments,
      selfMaskCommitment: commitTo(secretOf(state, "self mask"), session, client),
    },
  };
}

/**
 * Takes the shares of all clients whose updates may be summed; then `maskUpdate` can hide the update (round
 * 2).
 * @throws FormatError if the shares are of another session, too few, or for another client
 */
export function receiveShares(state: SecureClientState, delivery: DeliveryMessage): SecureClientState {
  const { settings, client, roster } = state;
  assertAwaits(state, "delivery");
  assertMessage(delivery, "delivery", settings.session);
  const senders = delivery.shares.map(({ from }) => from);
  const expected = roster.map((keys) => keys.client);
  assertSomeOf("a delivery of shares", senders, { expected, threshold: settings.threshold });
  assertNames(
    "a delivery of shares",
    delivery.shares.map(({ to }) => to),
    senders.map(() => client),
  );
  if (!senders.includes(client)) {
    throw new FormatError(`Cannot take a delivery of shares for "${client}" as its own must be among them`, {
      format: "secure sum",
    });
  }
  // Opened now, as an update must not be sent that could not be unmasked.
  for (const shares of delivery.shares) openShares(state, shares);
  return { ...state, awaits: "survivors", shares: delivery.shares };
}

/**
 * Returns the masks of a client's update: its own mask, and one mask shared with each client whose shares
 * have arrived.
 * @throws UsageError if `receiveShares` was not called before
 */
export function masksOf(state: SecureClientState): Mask[] {
  if (state.awaits !== "survivors") {
    throw new UsageError(
      `Cannot mask the update of "${state.client}" as shares must have come before: it awaits "${state.awaits}"`,
    );
  }
  const { client, settings, shares } = state;
  const masks: Mask[] = [{ key: secretOf(state, "self mask"), sign: 1 }];
  for (const { from } of shares) {
    if (from === client) continue;
    const key = pairKey(secretOf(state, "mask key"), keysFrom(state, from).maskKey, [
      settings.session,
      client,
      from,
    ]);
    masks.push({ key, sign: maskSign(client, from) });
  }
  return masks;
}

/**
 * Signs the list of survivors, so that all clients can see that they were shown the same one, as by the
 * ConsistencyCheck of Bonawitz et al. The same request may come again; another list is refused.
 * @param identity - the client's private key in PEM, Ed25519
 * @throws FormatError if survivors are too few, were not summed, or are not the same as in the request before
 */
export function confirmSurvivors(
  state: SecureClientState,
  request: SurvivorsMessage,
  identity: string,
): SecureClientStep<ConfirmMessage> {
  const { settings, client } = state;
  assertSurvivors(state, request);
  const { survivors } = request;
  return {
    state: { ...state, awaits: state.awaits === "done" ? "done" : "signatures", survivors },
    message: {
      kind: "confirm",
      session: settings.session,
      client,
      signature: signSurvivors(state, client, survivors, identity),
    },
  };
}

/**
 * Reveals the shares that unmask the sum: of the own mask of each survivor, and of the mask key of each
 * client that dropped out, never both of one client (round 3). The same request may come again; another
 * request is refused.
 * @param publicKeys - public keys of the other clients in PEM, by name: the list must be signed by at least
 * `threshold` of the clients, this one among them. @defaultValue any list is taken, signed or not
 * @throws FormatError if survivors are too few, were not summed, are not the same as in the request before,
 * or too few clients signed their list
 */
export function revealShares(
  state: SecureClientState,
  request: SurvivorsMessage,
  publicKeys?: ReadonlyMap<string, string>,
): SecureClientStep<RevealMessage> {
  const { client, shares, settings } = state;
  assertSurvivors(state, request);
  if (publicKeys !== undefined) {
    // Others vouch for nothing that this client has not seen itself.
    if (state.awaits === "survivors") assertAwaits(state, "signatures");
    assertConfirmed(state, request, publicKeys);
  }
  const selfMasks: RevealedShare[] = [];
  const maskKeys: RevealedShare[] = [];
  for (const encrypted of shares) {
    const { maskKey, selfMask } = openShares(state, encrypted);
    const survived = request.survivors.includes(encrypted.from);
    const share = encodeBytes(survived ? selfMask : maskKey);
    (survived ? selfMasks : maskKeys).push({ of: encrypted.from, share });
  }
  return {
    state: { ...state, awaits: "done", survivors: request.survivors },
    message: { kind: "reveal", session: settings.session, client, selfMasks, maskKeys },
  };
}

/** Checks a list of survivors, the first one or the very same again. */
function assertSurvivors(state: SecureClientState, request: SurvivorsMessage): void {
  const { awaits, settings, client, shares } = state;
  const { session, threshold } = settings;
  const isFirst = awaits !== "signatures" && awaits !== "done";
  if (isFirst) assertAwaits(state, "survivors");
  assertMessage(request, "survivors", session);
  // Two different lists would give the server both secrets of a client that is on only one of them.
  if (!isFirst) assertNames("another list of survivors", request.survivors, state.survivors);
  const senders = shares.map(({ from }) => from);
  assertSomeOf("a list of survivors", request.survivors, { expected: senders, threshold });
  if (request.survivors.includes(client)) return;
  throw new FormatError(`Cannot take a list of survivors as "${client}" must itself be on it`, {
    format: "secure sum",
  });
}

/** Derives one of the secrets of a client. */
export function secretOf(
  { secret, client, settings: { session } }: SecureClientState,
  purpose: "cipher key" | "mask key" | "self mask" | "rounding",
): Uint8Array {
  return deriveKey(decodeBytes(secret, undefined, "a secret"), purpose, session, client);
}

/** Derives the key of the mask that two clients share, the same on both sides. */
export function pairKey(
  secret: Uint8Array,
  theirs: string,
  [session, client, other]: readonly [string, string, string],
): Uint8Array {
  return agreeOnKey(secret, theirs, "mask", session, ...sortNames([client, other]));
}

/** Returns names in the order of code units, as the order of words differs between languages. */
export function sortNames(names: readonly string[]): string[] {
  return [...names].sort((a, b) => (a < b ? -1 : Number(a > b)));
}

function keysOf(state: SecureClientState): KeyPairMessage {
  return {
    kind: "keys",
    session: state.settings.session,
    client: state.client,
    cipherKey: publicKeyOf(secretOf(state, "cipher key")),
    maskKey: publicKeyOf(secretOf(state, "mask key")),
  };
}

function keysFrom({ roster }: SecureClientState, name: string): KeyPairMessage {
  return at(
    roster,
    roster.findIndex(({ client }) => client === name),
    "client",
  );
}

function openShares(
  state: SecureClientState,
  { from, sealed }: EncryptedShares,
): { readonly maskKey: Uint8Array; readonly selfMask: Uint8Array } {
  const { client, settings } = state;
  const { cipherKey } = keysFrom(state, from);
  const key = agreeOnKey(secretOf(state, "cipher key"), cipherKey, "shares", settings.session, from, client);
  const bytes = openSealed(key, sealed, 2 * SHARE_BYTES, [settings.session, from, client]);
  return { maskKey: bytes.slice(0, SHARE_BYTES), selfMask: bytes.slice(SHARE_BYTES) };
}

/** Checks that the roster has the keys that the client sent, and no key twice. */
function assertRoster(state: SecureClientState, keys: readonly KeyPairMessage[]): void {
  const sent = keysOf(state);
  const listed = keys.find(({ client }) => client === state.client);
  if (listed?.cipherKey !== sent.cipherKey || listed.maskKey !== sent.maskKey) {
    throw new FormatError(`Cannot take the roster as it must have the keys that "${state.client}" sent`, {
      format: "secure sum",
    });
  }
  const all = keys.flatMap(({ cipherKey, maskKey }) => [cipherKey, maskKey]);
  if (new Set(all).size < all.length) {
    throw new FormatError("Cannot take the roster as all of its keys must be different: one is there twice", {
      format: "secure sum",
    });
  }
}

function assertAwaits({ awaits, client }: SecureClientState, kind: string): void {
  if (awaits === kind) return;
  throw new FormatError(
    `Cannot take a message "${kind}" as client "${client}" must be sent "${awaits}" next: steps come in one order`,
    { format: "secure sum" },
  );
}
