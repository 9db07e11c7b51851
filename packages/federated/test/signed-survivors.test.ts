import { generateKeyPairSync } from "node:crypto";
import { at, entry } from "@isthmus/core";
import { describe, expect, test } from "vitest";
import { commitTo, decodeBytes, publicKeyOf } from "../src/secure/key-agreement.ts";
import type { RosterMessage, SurvivorsMessage, SurvivorsSignature } from "../src/secure/messages.ts";
import { joinShares, SHARE_BYTES } from "../src/secure/secret-shares.ts";
import { confirmSurvivors, revealShares } from "../src/secure/secure-client.ts";
import { closeStage, messageTo, receiveSecure } from "../src/secure/secure-server.ts";
import type { SecureSettings } from "../src/secure/secure-settings.ts";
import { runSecureSum, runStages, type TestClient } from "./run-secure-sum.ts";

const NAMES = ["ada", "bob", "cyd", "dan", "eve"];
const settings: SecureSettings = {
  session: "round 1",
  clients: NAMES,
  threshold: 3,
  elements: 2,
  range: 1,
  examplesCap: 10,
};
const pairs = new Map(NAMES.map((name) => [name, generateKeyPairSync("ed25519")]));
const publicKeys = new Map(
  [...pairs].map(([name, { publicKey }]) => [
    name,
    String(publicKey.export({ format: "pem", type: "spki" })),
  ]),
);
const identityOf = (name: string) =>
  String(entry(pairs, name).privateKey.export({ format: "pem", type: "pkcs8" }));
const strangers = NAMES.map(
  (name): TestClient => ({ name, examples: 4, values: new Float64Array(2).fill(0.25) }),
);
const friends = strangers.map((client) => ({
  ...client,
  identity: identityOf(client.name),
  peers: new Map([...publicKeys].filter(([name]) => name !== client.name)),
}));
const lose = (clients: readonly TestClient[], name: string, lostAt: NonNullable<TestClient["lostAt"]>) =>
  clients.map((client) => (client.name === name ? { ...client, lostAt } : client));

const listOf = (
  survivors: readonly string[],
  signatures?: readonly SurvivorsSignature[],
): SurvivorsMessage => ({
  kind: "survivors",
  session: settings.session,
  survivors,
  ...(signatures && { signatures }),
});

/** Lists by which each of the five is told that two others dropped out, and each of three by three. */
const LISTS = new Map([
  ["ada", ["ada", "bob", "eve"]],
  ["bob", ["ada", "bob", "cyd", "dan"]],
  ["cyd", ["ada", "bob", "cyd"]],
  ["dan", ["ada", "bob", "dan"]],
  ["eve", ["ada", "bob", "eve"]],
]);

describe("a server that shows five lists to five clients", () => {
  test("unmasks a sum of two where three are needed, if lists are not signed, with nobody on its side", async () => {
    const { server, clients } = await runStages(settings, strangers, "masked");
    const reveals = NAMES.map(
      (name) => revealShares(entry(clients, name), listOf(LISTS.get(name) ?? [])).message,
    );
    const secretOf = async (kind: "selfMasks" | "maskKeys", name: string) => {
      const shares = reveals.flatMap((message) => message[kind].filter(({ of }) => of === name));
      expect(shares.length).toBeGreaterThanOrEqual(settings.threshold);
      return joinShares(shares.slice(0, 3).map(({ share }) => decodeBytes(share, SHARE_BYTES, "a share")));
    };
    for (const name of ["cyd", "dan", "eve"])
      expect(publicKeyOf(await secretOf("maskKeys", name))).toBe(
        server.keys.find((k) => k.client === name)?.maskKey,
      );
    for (const name of ["ada", "bob"]) {
      const { selfMaskCommitment } = at(server.shares, NAMES.indexOf(name));
      expect(commitTo(await secretOf("selfMasks", name), settings.session, name)).toBe(selfMaskCommitment);
    }
  });

  test("is told nothing, if lists are signed", async () => {
    const { clients } = await runStages(settings, friends, "masked");
    const confirmed = NAMES.map((name) =>
      confirmSurvivors(entry(clients, name), listOf(LISTS.get(name) ?? []), identityOf(name)),
    );
    for (const [i, { state }] of confirmed.entries()) {
      const list = LISTS.get(at(NAMES, i)) ?? [];
      const signatures = confirmed
        .map(({ message: { client, signature } }) => ({ client, signature }))
        .filter(({ client }) => list.includes(client));
      expect(() => revealShares(state, listOf(list, signatures), publicKeys)).toThrow(
        /at least 3 clients that are known must have signed this very list of survivors: [12] of/,
      );
    }
  });
});

describe("signed lists of survivors", () => {
  test.each(["masked", "confirm", "reveal"] as const)(
    "end the sum although one is lost at %s",
    async (stage) => {
      const { sum, server } = await runSecureSum(settings, lose(friends, "dan", stage));
      expect(sum.clients).toEqual(stage === "masked" ? NAMES.filter((name) => name !== "dan") : NAMES);
      expect(server.confirms.map(({ client }) => client)).toEqual(
        stage === "reveal" ? NAMES : NAMES.filter((name) => name !== "dan"),
      );
      const [value = 0] = await sum.sumInto(0, new Float64Array(1));
      expect(value / sum.weight).toBeCloseTo(0.25, 6);
    },
  );

  test("are taken from survivors alone, once each and whole, and shares only from those that signed", async () => {
    const { server, clients } = await runStages(settings, lose(friends, "eve", "masked"), "masked");
    const list = messageTo(server, "ada") as SurvivorsMessage;
    const sign = (name: string) => confirmSurvivors(entry(clients, name), list, identityOf(name));
    const { message, state } = sign("ada");
    const once = receiveSecure(server, message);
    expect(() => receiveSecure(once, message)).toThrow(/must come once/);
    expect(() => receiveSecure(server, { ...message, client: "eve" })).toThrow(/every step before/);
    expect(() => receiveSecure(server, { ...message, signature: "AAAA" })).toThrow(/must be 64 bytes/);
    expect(() => receiveSecure(server, { ...message, list: [] } as never)).toThrow(/no others/);
    expect(() => closeStage(once)).toThrow(/at least 3 clients must be left: there are 1/);
    // The same list may be signed again, another one never.
    expect(confirmSurvivors(state, list, identityOf("ada")).message).toEqual(message);
    const shorter = listOf(list.survivors.slice(0, 3));
    expect(() => confirmSurvivors(state, shorter, identityOf("ada"))).toThrow(/another list of survivors/);
    const three = ["ada", "bob", "cyd"].reduce((now, name) => receiveSecure(now, sign(name).message), server);
    const { state: next } = closeStage(three);
    const signed = messageTo(next, "ada") as SurvivorsMessage;
    const { message: reveal } = revealShares(state, signed, publicKeys);
    expect(receiveSecure(next, reveal).reveals).toHaveLength(1);
    expect(() => receiveSecure(next, { ...reveal, client: "dan" })).toThrow(/every step before/);
    // One that did not sign reveals nothing, whatever others signed.
    expect(() => revealShares(entry(clients, "dan"), signed, publicKeys)).toThrow(
      /must be sent "survivors" next/,
    );
  });

  const others = (of: readonly SurvivorsSignature[]) => of.filter(({ client }) => client !== "ada");
  test.each<[string, (of: readonly SurvivorsSignature[]) => SurvivorsSignature[], RegExp | null]>([
    ["all", (of) => [...of], null],
    ["those of the others", others, null],
    [
      "a wrong one among enough",
      ([a, b, c, d]) => [a, b, { ...c, signature: b?.signature }, d] as never,
      null,
    ],
    [
      "two and a wrong one",
      ([a, b, c]) => [a, b, { ...c, signature: b?.signature }] as never,
      /2 of 3 signatures/,
    ],
    ["one twice", ([a, b]) => [a, b, b] as never, /must name "ada", "bob" in this order/],
    [
      "a stranger's",
      ([a, b]) => [a, b, { ...b, client: "zoe" }] as never,
      /must name "ada", "bob" in this order/,
    ],
    ["one that is too short", ([a, b]) => [a, b && { ...b, signature: "AAAA" }] as never, /must be 64 bytes/],
  ])("that are %s let shares be revealed only if the threshold is valid", async (_, change, message) => {
    const { server, clients } = await runStages(settings, friends, "confirm");
    const list = messageTo(server, "ada") as SurvivorsMessage;
    const reveal = () =>
      revealShares(entry(clients, "ada"), { ...list, signatures: change(list.signatures ?? []) }, publicKeys);
    if (message === null) expect(reveal().message.selfMasks).toHaveLength(5);
    else expect(reveal).toThrow(message);
  });

  test("of another sum of the same name count for nothing, as keys are drawn anew", async () => {
    const [first, second] = [
      await runStages(settings, friends, "confirm", 1),
      await runStages(settings, friends, "confirm", 2),
    ];
    const replayed = messageTo(first.server, "ada") as SurvivorsMessage;
    expect(() => revealShares(entry(second.clients, "ada"), replayed, publicKeys)).toThrow(
      /1 of 5 signatures/,
    );
  });

  test("are left out with a client of an earlier version, which is sent no field that it does not know", async () => {
    const { server } = await runStages(settings, friends, "keys");
    const keys = server.keys.map(({ confirms, ...message }) =>
      message.client === "bob" || confirms === undefined ? message : { ...message, confirms },
    );
    const old = { ...server, keys };
    expect((messageTo(old, "bob") as RosterMessage).keys.some((message) => "confirms" in message)).toBe(
      false,
    );
    const shown = (messageTo(old, "ada") as RosterMessage).keys;
    expect(shown.filter(({ confirms }) => confirms === true).map(({ client }) => client)).toEqual(
      NAMES.filter((name) => name !== "bob"),
    );
  });
});
