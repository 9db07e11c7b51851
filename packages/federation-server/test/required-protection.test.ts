import { join } from "node:path";
import { createTensor } from "@isthmus/core";
import { createDataSet } from "@isthmus/data";
import { joinFederation } from "@isthmus/federation-server/client";
import type { Engine } from "@isthmus/graph";
import { afterEach, describe, expect, it } from "vitest";
import { assertRequired, assertRequiredSum } from "../src/client/assert-required.ts";
import { parseAbout } from "../src/client/parse-about.ts";
import { createServing } from "./start-server.ts";

const serving = createServing();
afterEach(() => serving.close());

const privacy = { clip: 1, noise: 2, clients: 3, sampling: { kind: "all" }, delta: 0.01 } as const;
const local = { ...privacy, at: "clients" } as const;
const plain = { name: "digits", secure: false, privacy: null };

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
      /requires "private", noise .* at least 1: its server asks for updates without noise/,
    ],
    [
      { require: ["private"] },
      { ...plain, privacy },
      /its server would add the noise, after it has read the update/,
    ],
    [
      { require: ["private"], leastNoise: 2.5 },
      { ...plain, privacy: local },
      /at least 2\.5: its server asks for 2/,
    ],
    [{ require: ["secure", "private"] }, { ...plain, secure: true }, /requires "private"/],
  ] as const)("refuses what is less than %j", (requirements, about, message) => {
    const complete = { leastClients: 2, leastNoise: 1, ...requirements };
    expect(() => assertRequired(about, complete)).toThrow(message);
  });

  it("takes what is required and more, and anything if nothing is", () => {
    const both = { require: ["secure", "private"], leastClients: 2, leastNoise: 2 } as const;
    expect(() => assertRequired({ name: "x", secure: true, privacy: local }, both)).not.toThrow();
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
    expect(() => assertRequiredSum(settings, { require, leastClients: 3, leastNoise: 1 })).toThrow(
      /at least 3 clients: it may be of 2; its server's file makes it so by: secure: \{ threshold: 1 \}/,
    );
    expect(() => assertRequiredSum(settings, { require, leastClients: 4, leastNoise: 1 })).toThrow(
      /the sum has 3 clients, so that its server must wait for a larger "quorum"/,
    );
    expect(() => assertRequiredSum(settings, { require, leastClients: 2, leastNoise: 1 })).not.toThrow();
    expect(() => assertRequiredSum(settings, { require: [], leastClients: 3, leastNoise: 1 })).not.toThrow();
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
    await expect(joinFederation(url, { ...options, leastClients: 1.5 })).rejects.toThrow(/leastClients/);
    expect(federation.server.state.members).toEqual({});
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
