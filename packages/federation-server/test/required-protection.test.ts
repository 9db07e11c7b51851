import { generateKeyPairSync } from "node:crypto";
import { join } from "node:path";
import { createTensor } from "@isthmus/core";
import { createDataSet } from "@isthmus/data";
import { type JoinFederationOptions, joinFederation } from "@isthmus/federation-server/client";
import type { Engine } from "@isthmus/graph";
import { afterEach, describe, expect, it } from "vitest";
import { assertRequired, assertRequiredSum } from "../src/client/assert-required.ts";
import { parseAbout } from "../src/client/parse-about.ts";
import { createLying } from "./lying-clients.ts";
import { answerOf } from "./lying-server.ts";
import { createServing } from "./start-server.ts";

const serving = createServing();
afterEach(() => serving.close());

const privacy = { clip: 1, noise: 2, clients: 3, sampling: { kind: "all" }, delta: 0.01 } as const;
const local = { ...privacy, at: "clients" } as const;
const plain = { name: "digits", secure: false, privacy: null, signedSurvivors: false };
const least = { leastClients: 2, leastNoise: 1, mostClip: Number.POSITIVE_INFINITY };

describe("assertRequired()", () => {
  it.each([
    [
      { require: ["secure"] },
      plain,
      /"digits" as this client requires "secure", masked updates: its server asks for updates that it can read/,
    ],
    [
      { require: ["private"] },
      plain,
      /requires "private", noise of this client: its server asks for updates without noise/,
    ],
    [
      { require: ["private"] },
      { ...plain, privacy },
      /its server would add the noise, after it has read the update/,
    ],
    [
      { require: ["private"], leastNoise: 2.5 },
      { ...plain, privacy: local },
      /its multiplier must be at least 2\.5: it is 2/,
    ],
    [
      { require: ["noise"], mostClip: 0.5 },
      { ...plain, privacy },
      /"noise", noise in every published network: updates must be shortened to at most 0\.5: the clip is 1/,
    ],
    [
      { require: ["noise"], mostClip: 1 },
      { ...plain, privacy: { ...privacy, adaptive: { quantile: 0.5 } } },
      /at most 1: the clip adapts, from 1/,
    ],
    [{ require: ["identity"] }, plain, /"identity", .*: its server asks for updates that it can read/],
    [{ require: ["identity"] }, { ...plain, secure: true }, /its server is of an earlier version/],
    [{ require: ["secure", "private"] }, { ...plain, secure: true }, /requires "private"/],
  ] as const)("refuses what is less than %j", (requirements, about, message) => {
    const complete = { ...least, ...requirements };
    expect(() => assertRequired(about, complete)).toThrow(message);
  });

  it("takes what is required and more, and anything if nothing is", () => {
    const both = { ...least, require: ["secure", "private", "noise"], leastNoise: 2 } as const;
    const offered = { ...plain, secure: true, privacy: local };
    expect(() => assertRequired(offered, both)).not.toThrow();
    expect(() =>
      assertRequired({ ...plain, privacy }, { ...least, require: ["noise"], mostClip: 1 }),
    ).not.toThrow();
    expect(() => assertRequired(plain, { ...both, require: [] })).not.toThrow();
  });
});

describe("assertRequiredSum()", () => {
  it("refuses a sum that may be of fewer clients, if sums are required to be secure", () => {
    const settings = {
      session: "s",
      clients: ["a", "b", "c"],
      threshold: 2,
      elements: 1,
      range: 1,
      examplesCap: 1,
    };
    const require = ["secure"] as const;
    expect(() => assertRequiredSum(settings, { ...least, require, leastClients: 3 })).toThrow(
      /at least 3 clients: it may be of 2; its server's file makes it so by: secure: \{ threshold: 1 \}/,
    );
    expect(() => assertRequiredSum(settings, { ...least, require, leastClients: 4 })).toThrow(
      /the sum has 3 clients, so that its server must wait for a larger "quorum"/,
    );
    expect(() => assertRequiredSum(settings, { ...least, require })).not.toThrow();
    expect(() => assertRequiredSum(settings, { ...least, require: [], leastClients: 3 })).not.toThrow();
  });
});

describe("joinFederation()", () => {
  it("does not join a federation that protects its clients less than it requires, nor with numbers out of range", async () => {
    const federation = await serving.serve({ clients: ["ada"] });
    const inputs = createTensor("f32", [1, 4], new Float32Array(4));
    const options = {
      token: federation.tokens.get("ada") ?? "",
      data: createDataSet(inputs, createTensor("i32", [1], new Int32Array(1)), { name: "one" }),
      // Nothing is run before the client has joined.
      engine: {} as Engine,
      folder: join(federation.folder, "ada"),
    };
    const { url } = federation.server;
    for (const require of [["secure"], ["private"]] as const) {
      await expect(joinFederation(url, { ...options, require })).rejects.toThrow(`requires "${require[0]}"`);
    }
    await expect(joinFederation(url, { ...options, leastNoise: 0 })).rejects.toThrow(
      /"leastNoise" must be above 0/,
    );
    await expect(joinFederation(url, { ...options, mostClip: Number.NaN })).rejects.toThrow(/"mostClip"/);
    await expect(joinFederation(url, { ...options, require: ["identity"] })).rejects.toThrow(/--peers/);
    await expect(joinFederation(url, { ...options, leastClients: 1.5 })).rejects.toThrow(/leastClients/);
    for (const [bound, needs] of [
      [{ leastClients: 3 }, /"leastClients" 3 alone.*"secure" or "identity"/],
      [{ leastNoise: 2, require: ["secure"] }, /"leastNoise" 2 alone.*"private" or "noise"/],
      [{ mostClip: 5 }, /"mostClip" 5 alone/],
    ] as const)
      await expect(joinFederation(url, { ...options, ...bound })).rejects.toThrow(needs);
    const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 1024 });
    const identity = String(
      generateKeyPairSync("ed25519").privateKey.export({ format: "pem", type: "pkcs8" }),
    );
    for (const [keys, fault] of [
      [{ identity: String(privateKey.export({ format: "pem", type: "pkcs8" })) }, /"identity".*one of rsa/],
      [{ identity: "anna" }, /"identity".*it is none/],
      [{ identity, peers: {} }, /"peers" that are none/],
      [{ identity, peers: { bea: String(publicKey.export({ format: "pem", type: "spki" })) } }, /"bea".*rsa/],
    ] as const)
      await expect(joinFederation(url, { ...options, ...keys })).rejects.toThrow(fault);
    expect(federation.server.state.members).toEqual({});
  });
});

describe("a server that promises, and then changes", () => {
  const lying = createLying();
  afterEach(() => lying.close());

  /** Lets three clients take part, and changes what the server says once the first of them has sent an update. */
  async function joinChanging(options: Partial<JoinFederationOptions>, changed: object) {
    let sent = 0;
    const { joined } = await lying.join(
      async (request, honest) => {
        const answer = await honest();
        if (request.method === "POST" && request.path.endsWith("/updates") && answer.status === 200) sent++;
        if (request.path !== "/v1/federation" || sent === 0) return answer;
        return answerOf(200, { ...JSON.parse(answer.body.toString()), ...changed });
      },
      { privacy: local, plan: { rounds: 3 }, options },
    );
    return { ada: joined[0], sent: () => sent };
  }

  it.each<[string, Partial<JoinFederationOptions>, object, RegExp]>([
    ["masks", { require: ["secure"] }, { secure: false }, /requires "secure", masked updates/],
    [
      "noise of clients",
      { require: ["secure", "private"] },
      { privacy: { ...local, at: "server" } },
      /its server would add the noise/,
    ],
    [
      "noise of a size",
      { require: ["secure", "noise"], leastNoise: 2 },
      { privacy: { ...local, noise: 1 } },
      /its multiplier must be at least 2: it is 1/,
    ],
    [
      "a bound",
      { require: ["noise"], mostClip: 1 },
      { privacy: { ...local, clip: 3 } },
      /at most 1: the clip is 3/,
    ],
  ])("has no further update of a client that requires %s", async (_, options, changed, message) => {
    const { ada, sent } = await joinChanging(options, changed);
    await expect(ada).rejects.toThrow(message);
    expect(sent()).toBe(1);
  });
});

describe("parseAbout()", () => {
  it("takes what a server says, and refuses privacy whose noise is no number", async () => {
    const federation = await serving.serve({ clients: ["ada"] });
    const answer = await (await federation.client("ada").request("GET", "/v1/federation")).json();
    expect(parseAbout(answer)).toMatchObject({ name: "small", secure: false, privacy: null });
    for (const wrong of [{ ...local, noise: "2" }, { ...local, noise: null }, "none"]) {
      expect(() => parseAbout({ ...(answer as object), privacy: wrong })).toThrow(/"privacy/);
    }
    expect(() => parseAbout({ ...(answer as object), secure: "no" })).toThrow(/"secure"/);
  });
});
