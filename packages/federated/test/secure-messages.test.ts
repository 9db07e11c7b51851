import { describe, expect, test } from "vitest";
import { deriveKey } from "../src/random/derive-key.ts";
import { agreeOnKey, encodeBytes, publicKeyOf } from "../src/secure/key-agreement.ts";
import { maskUpdate } from "../src/secure/mask-update.ts";
import type {
  ClientMessage,
  DeliveryMessage,
  RevealMessage,
  RosterMessage,
  SharesMessage,
  SurvivorsMessage,
} from "../src/secure/messages.ts";
import {
  openSecureClient,
  receiveShares,
  revealShares,
  type SecureClientState,
  shareSecrets,
} from "../src/secure/secure-client.ts";
import { closeStage, openSecureServer, receiveSecure } from "../src/secure/secure-server.ts";
import type { SecureSettings } from "../src/secure/secure-settings.ts";
import { recoverMasks } from "../src/secure/unmask.ts";
import { runStages, secretOfTest, type TestClient } from "./run-secure-sum.ts";

const settings: SecureSettings = {
  session: "round 1",
  clients: ["ada", "bob", "cyd", "dan"],
  threshold: 3,
  elements: 5,
  range: 1,
  examplesCap: 10,
};
const clients: TestClient[] = settings.clients.map((name) => ({
  name,
  examples: 4,
  values: new Float64Array(5).fill(0.25),
}));
const danIsLost = clients.map((client) =>
  client.name === "dan" ? { ...client, lostAt: "masked" as const } : client,
);

const key = (label: string) => encodeBytes(deriveKey(1, label));
/** Changes one bit in base64 of some bytes. */
function damage(text: string, position = 20): string {
  const bytes = Buffer.from(text, "base64");
  bytes[position]! ^= 1;
  return bytes.toString("base64");
}

describe("keys", () => {
  test("are those of RFC 7748, section 6.1", () => {
    const alice = Buffer.from("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a", "hex");
    expect(Buffer.from(publicKeyOf(alice), "base64").toString("hex")).toBe(
      "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
    );
  });

  test("are agreed on alike by both sides, for one purpose", () => {
    const [a, b] = [deriveKey(1, "a"), deriveKey(1, "b")];
    const shared = agreeOnKey(a, publicKeyOf(b), "mask", "x");
    expect(agreeOnKey(b, publicKeyOf(a), "mask", "x")).toEqual(shared);
    expect(agreeOnKey(b, publicKeyOf(a), "mask", "y")).not.toEqual(shared);
  });

  test("with which no secret can be agreed on are refused", () => {
    expect(() => agreeOnKey(deriveKey(1), encodeBytes(new Uint8Array(32)))).toThrow(/X25519 refuses it/);
    expect(() => agreeOnKey(deriveKey(1), encodeBytes(new Uint8Array(31)))).toThrow(
      /must be 32 bytes in base64/,
    );
  });
});

describe("a server refuses", () => {
  const keysOf = (name: string) => openSecureClient(settings, name, secretOfTest(name)).message;

  test.each<[string, () => ClientMessage, RegExp]>([
    ["another session", () => ({ ...keysOf("ada"), session: "round 0" }), /of another round/],
    ["a later stage", () => ({ kind: "masked", session: "round 1", client: "ada", words: 7 }), /late, early/],
    ["who is not invited", () => ({ ...keysOf("ada"), client: "eve" }), /only clients that took every step/],
    ["a key that is none", () => ({ ...keysOf("ada"), maskKey: "AAAA" }), /must be 32 bytes in base64/],
    [
      "a key in other base64",
      () => ({ ...keysOf("ada"), maskKey: `${key("x")}\n` }),
      /must be 32 bytes in base64/,
    ],
    [
      "a field that is missing",
      () => ({ ...keysOf("ada"), maskKey: undefined as never }),
      /must have all fields/,
    ],
    ["a field too many", () => ({ ...keysOf("ada"), more: "x" }) as never, /and no others/],
  ])("keys of %s", (_name, message, pattern) => {
    expect(() => receiveSecure(openSecureServer(settings), message())).toThrow(pattern);
  });

  test("keys that come twice", () => {
    const server = receiveSecure(openSecureServer(settings), keysOf("ada"));
    expect(() => receiveSecure(server, keysOf("ada"))).toThrow(/must come once/);
  });

  test.each<[string, (message: SharesMessage) => SharesMessage, RegExp]>([
    [
      "for some clients only",
      (m) => ({ ...m, shares: m.shares.slice(1) }),
      /must name "ada", "bob", "cyd", "dan"/,
    ],
    ["in another order", (m) => ({ ...m, commitments: m.commitments.toReversed() }), /in this order/],
    [
      "of another sender",
      (m) => ({ ...m, shares: m.shares.map((share) => ({ ...share, from: "bob" })) }),
      /it names "bob", "bob"/,
    ],
    [
      "that are sealed at length",
      (m) => ({ ...m, shares: m.shares.map((share) => ({ ...share, sealed: "AAAA".repeat(1000) })) }),
      /must be 94 bytes in base64/,
    ],
    [
      "with a note",
      (m) => ({ ...m, shares: m.shares.map((share) => ({ ...share, note: "x" })) }),
      /and no others/,
    ],
    ["that are no list", (m) => ({ ...m, shares: "x" as never }), /must have all fields/],
    ["without a hash", (m) => ({ ...m, selfMaskCommitment: "" }), /must be 32 bytes in base64/],
  ])("shares %s", async (_name, change, pattern) => {
    const run = await runStages(settings, clients, "keys");
    const roster = run.messages[0]!.message as RosterMessage;
    const { message } = await shareSecrets(run.clients.get("ada")!, roster);
    expect(() => receiveSecure(run.server, change(message))).toThrow(pattern);
    expect(receiveSecure(run.server, message).shares).toHaveLength(1);
  });

  test("a masked update of another length, and of who sent no shares", async () => {
    const lost = clients.map((client) =>
      client.name === "dan" ? { ...client, lostAt: "shares" as const } : client,
    );
    const { server } = await runStages(settings, lost, "shares");
    const masked = { kind: "masked", session: "round 1", client: "ada", words: 7 } as const;
    expect(() => receiveSecure(server, { ...masked, words: 6 })).toThrow(/must have 7 words: it has 6/);
    expect(() => receiveSecure(server, { ...masked, client: "dan" })).toThrow(/took every step before/);
  });

  test.each<[string, (message: RevealMessage) => RevealMessage, RegExp]>([
    [
      "that was changed",
      (m) => ({ ...m, selfMasks: m.selfMasks.map(({ of, share }) => ({ of, share: damage(share) })) }),
      /share of "ada" that "ada" reveals as it must be the one that "ada" gave out/,
    ],
    [
      "of the other secret",
      (m) => ({ ...m, maskKeys: m.maskKeys.map(({ of }) => ({ of, share: m.selfMasks[0]!.share })) }),
      /share of "dan" that "ada" reveals/,
    ],
    [
      "that was not asked for",
      (m) => ({ ...m, selfMasks: [...m.selfMasks, ...m.maskKeys] }),
      /it names .*"dan"/,
    ],
    ["too few", (m) => ({ ...m, maskKeys: [] }), /it names nobody/],
  ])("a share %s", async (_name, change, pattern) => {
    const run = await runStages(settings, danIsLost, "masked");
    const request = run.messages[0]!.message as SurvivorsMessage;
    const { message } = revealShares(run.clients.get("ada")!, request);
    expect(() => receiveSecure(run.server, change(message))).toThrow(pattern);
    expect(receiveSecure(run.server, message).reveals).toHaveLength(1);
  });

  test("shares that do not make the secret, and names who gave them out", async () => {
    const { server } = await runStages(settings, danIsLost);
    const ownMask = server.shares.map((m) =>
      m.client === "bob" ? { ...m, selfMaskCommitment: key("x") } : m,
    );
    await expect(recoverMasks({ ...server, shares: ownMask })).rejects.toThrow(
      /the shares that "bob" gave out must make its own mask/,
    );
    const keys = server.keys.map((m) =>
      m.client === "dan" ? { ...m, maskKey: publicKeyOf(deriveKey(1)) } : m,
    );
    await expect(recoverMasks({ ...server, keys })).rejects.toThrow(/"dan" gave out must make its mask key/);
  });

  test("anything once it is over, and unmasking before", async () => {
    const { server } = await runStages(settings, clients);
    expect(() => closeStage(server)).toThrow(/must not be over yet/);
    expect(() => receiveSecure(server, keysOf("ada"))).toThrow(/it is over/);
    await expect(recoverMasks(openSecureServer(settings))).rejects.toThrow(/it collects "keys"/);
  });
});

describe("a client refuses", () => {
  const stateAt = async (last: "keys" | "shares" | "masked") => {
    const run = await runStages(settings, last === "masked" ? danIsLost : clients, last);
    return { state: run.clients.get("ada")!, message: run.messages[0]!.message };
  };

  test.each<[string, (roster: RosterMessage) => RosterMessage, RegExp]>([
    [
      "with another key for itself",
      (m) => ({ ...m, keys: m.keys.map((k) => (k.client === "ada" ? { ...k, maskKey: key("x") } : k)) }),
      /must have the keys that "ada" sent/,
    ],
    [
      "with one key twice",
      (m) => ({
        ...m,
        keys: m.keys.map((k) => (k.client === "bob" ? { ...k, maskKey: m.keys[3]!.maskKey } : k)),
      }),
      /one is there twice/,
    ],
    ["of too few", (m) => ({ ...m, keys: m.keys.slice(0, 2) }), /at least 3 clients must be left/],
    ["without itself", (m) => ({ ...m, keys: m.keys.slice(1) }), /must have the keys that "ada" sent/],
    [
      "with a stranger",
      (m) => ({ ...m, keys: [...m.keys, { ...m.keys[0]!, client: "eve" }] }),
      /it names .*"eve"/,
    ],
    ["with one client twice", (m) => ({ ...m, keys: [m.keys[0]!, ...m.keys] }), /it names "ada", "ada"/],
    ["of another session", (m) => ({ ...m, session: "round 2" }), /of another round/],
  ])("a roster %s", async (_name, change, pattern) => {
    const { state, message } = await stateAt("keys");
    await expect(shareSecrets(state, change(message as RosterMessage))).rejects.toThrow(pattern);
  });

  test.each<[string, (delivery: DeliveryMessage) => DeliveryMessage, RegExp]>([
    [
      "with a changed share",
      (m) => ({ ...m, shares: m.shares.map((s) => ({ ...s, sealed: damage(s.sealed) })) }),
      /they were changed/,
    ],
    [
      "with shares of one client under the name of another",
      (m) => ({ ...m, shares: m.shares.map((s, i) => ({ ...s, sealed: m.shares[(i + 1) % 4]!.sealed })) }),
      /they were changed/,
    ],
    [
      "for another client",
      (m) => ({ ...m, shares: m.shares.map((s) => ({ ...s, to: "bob" })) }),
      /it names "bob"/,
    ],
    ["of too few", (m) => ({ ...m, shares: m.shares.slice(0, 2) }), /at least 3 clients must be left/],
    ["without its own", (m) => ({ ...m, shares: m.shares.slice(1) }), /its own must be among them/],
  ])("a delivery %s", async (_name, change, pattern) => {
    const { state, message } = await stateAt("shares");
    // The state after keys: what the client was before it sent its update.
    const before: SecureClientState = { ...state, awaits: "delivery", shares: [] };
    expect(() => receiveShares(before, change(message as DeliveryMessage))).toThrow(pattern);
  });

  test.each<[string, readonly string[], RegExp]>([
    ["of too few", ["ada", "bob"], /at least 3 clients must be left/],
    ["without itself", ["bob", "cyd", "dan"], /must itself be on it/],
    ["with a stranger", ["ada", "bob", "cyd", "eve"], /it names .*"eve"/],
    ["with one client twice", ["ada", "bob", "bob"], /it names "ada", "bob", "bob"/],
  ])("a list of survivors %s", async (_name, survivors, pattern) => {
    const { state } = await stateAt("masked");
    expect(() => revealShares(state, { kind: "survivors", session: "round 1", survivors })).toThrow(pattern);
  });

  test("a second list of survivors that differs, which would give away both secrets of one client", async () => {
    const { state, message } = await stateAt("masked");
    const request = message as SurvivorsMessage;
    const { state: after, message: revealed } = revealShares(state, request);
    expect(revealed.maskKeys.map(({ of }) => of)).toEqual(["dan"]);
    expect(revealShares(after, request).message).toEqual(revealed);
    const other = { ...request, survivors: settings.clients };
    expect(() => revealShares(after, other)).toThrow(/Cannot take another list of survivors/);
  });

  test("steps out of order, a session it is not invited to, and a secret of another length", async () => {
    const { state, message } = await stateAt("keys");
    const update = { examples: 1, readInto: () => undefined, write: () => undefined };
    await expect(maskUpdate(state, update)).rejects.toThrow(/shares must have come before/);
    const request: SurvivorsMessage = { kind: "survivors", session: "round 1", survivors: settings.clients };
    expect(() => revealShares(state, request)).toThrow(/must be sent "roster" next/);
    const { state: shared } = await shareSecrets(state, message as RosterMessage);
    await expect(shareSecrets(shared, message as RosterMessage)).rejects.toThrow(
      /must be sent "delivery" next/,
    );
    expect(() => openSecureClient(settings, "eve", secretOfTest("eve"))).toThrow(/must be invited/);
    expect(() => openSecureClient(settings, "ada", new Uint8Array(16))).toThrow(
      /must have 32 bytes: it has 16/,
    );
  });

  test("to mask an update with wrong numbers", async () => {
    const run = await runStages(settings, clients, "shares");
    const { shares } = run.messages[0]!.message as DeliveryMessage;
    const state = receiveShares(
      { ...run.clients.get("ada")!, awaits: "delivery" },
      { kind: "delivery", session: "round 1", client: "ada", shares },
    );
    const update = { examples: 1, readInto: () => undefined, write: () => undefined };
    await expect(maskUpdate(state, { ...update, examples: 0 })).rejects.toThrow(/"examples"/);
    await expect(maskUpdate(state, { ...update, clipWeight: 0 })).rejects.toThrow(/"clipWeight"/);
    await expect(maskUpdate(state, { ...update, clipWeight: 1.5 })).rejects.toThrow(/"clipWeight"/);
  });
});
