import { setTimeout } from "node:timers/promises";
import {
  type ClientMessage,
  type DeliveryMessage,
  drawSecret,
  maskUpdate,
  openSecureClient,
  type RosterMessage,
  receiveShares,
  revealShares,
  type SecureClientState,
  type SecureTask,
  type SurvivorsMessage,
  shareSecrets,
} from "@isthmus/federated";
import { afterEach, describe, expect, it } from "vitest";
import { plainClient } from "./plain-client.ts";
import { joinAs, makeSecure } from "./secure-small.ts";
import { bodyOf } from "./small-federation.ts";
import { createServing } from "./start-server.ts";

const serving = createServing();
const closers: (() => unknown)[] = [];
afterEach(async () => {
  await serving.close();
  for (const close of closers.splice(0).reverse()) await close();
});

/** Speaks the protocol by hand, as a client that sends what it likes. */
function handClient(url: string, token: string | undefined) {
  const plain = plainClient(url, token);
  const post = async (message: ClientMessage): Promise<number> => {
    const headers = { "content-type": "application/json" };
    const body = JSON.stringify(message);
    return (await plain.request("POST", "/v1/rounds/1/secure", { body, headers })).status;
  };
  return {
    ...plain,
    post,
    /** Asks until the client has to do a step of the sum. */
    async step(step: SecureTask["step"]): Promise<SecureTask> {
      for (;;) {
        await plain.task(1);
        const answer = await plain.request("GET", "/v1/rounds/1/secure");
        if (answer.status === 200) {
          const task = (await answer.json()) as SecureTask;
          if (task.step === step) return task;
        }
        await setTimeout(20);
      }
    },
  };
}

/** Returns words of a client's masked update that changes nothing. */
async function maskNothing(state: SecureClientState): Promise<Buffer> {
  const words = new Uint32Array(state.settings.elements + 2);
  await maskUpdate(state, {
    examples: 10,
    readInto: (_, out) => void out.fill(0),
    write: (begin, range) => words.set(range, begin),
  });
  return Buffer.from(words.buffer);
}

const flipped = (base64: string): string => {
  const bytes = Buffer.from(base64, "base64");
  bytes[bytes.length - 1] = (bytes[bytes.length - 1] ?? 0) ^ 1;
  return bytes.toString("base64");
};

describe("a member of a secure sum that sends what it likes", () => {
  it("has every wrong message refused, and cannot stop the sum as long as it sends right ones", async () => {
    const federation = await makeSecure({ plan: { quorum: 3 } });
    closers.push(federation.remove);
    const { server } = await serving.reopen(federation);
    const others = ["ada", "bea"].map((name) => joinAs(federation, server.url, name));
    const cas = handClient(server.url, federation.tokens.get("cas"));
    const { settings } = await cas.step("keys");
    const begun = openSecureClient(settings, "cas", drawSecret());
    await expect.poll(() => server.state.secure?.sum.keys.length).toBe(2);
    const [ada] = server.state.secure?.sum.keys ?? [];
    const keys = begun.message;
    for (const wrong of [
      { ...keys, maskKey: keys.cipherKey },
      { ...keys, maskKey: ada?.maskKey ?? "" },
      { ...keys, maskKey: Buffer.alloc(32).toString("base64") },
      { ...keys, session: "another" },
      { ...keys, more: 1 },
    ]) {
      expect(await cas.post(wrong)).toBe(409);
    }
    expect([await cas.post(keys), await cas.post(keys)]).toEqual([204, 204]);

    const roster = (await cas.step("shares")).message as RosterMessage;
    const shared = await shareSecrets(begun.state, roster);
    const { message: shares } = shared;
    for (const wrong of [
      { ...shares, shares: shares.shares.slice(1) },
      { ...shares, shares: [...shares.shares].reverse() },
      { ...shares, selfMaskCommitment: "" },
      { ...shares, commitments: shares.commitments.map((entry) => ({ ...entry, to: "ada" })) },
    ]) {
      expect(await cas.post(wrong)).toBe(409);
    }
    expect(await cas.post(shares)).toBe(204);

    const delivery = (await cas.step("masked")).message as DeliveryMessage;
    const delivered = receiveShares(shared.state, delivery);
    const words = await maskNothing(delivered);
    for (const [bytes, status] of [
      [words.subarray(4), 422],
      [Buffer.concat([words, words]), 422],
      [words, 200],
    ] as const) {
      await cas.upload(bodyOf(bytes));
      expect((await cas.send(1, bodyOf(bytes))).status).toBe(status);
    }

    const survivors = (await cas.step("reveal")).message as SurvivorsMessage;
    const { message: reveal } = revealShares(delivered, survivors);
    const [first, ...rest] = reveal.selfMasks;
    if (first === undefined) throw new Error("There must be shares to reveal");
    for (const wrong of [
      { ...reveal, selfMasks: [{ ...first, share: flipped(first.share) }, ...rest] },
      { ...reveal, selfMasks: rest, maskKeys: [first] },
      { ...reveal, selfMasks: rest },
    ]) {
      expect(await cas.post(wrong)).toBe(409);
    }
    expect(await cas.post(reveal)).toBe(204);
    const { status, history } = await server.finished;
    expect([status, history[0]?.attempts]).toEqual(["finished", 1]);
    expect(history[0]?.updates.map(({ client }) => client)).toEqual(["ada", "bea", "cas"]);
    await Promise.all(others);
  });
});
