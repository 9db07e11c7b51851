import { serveFederation } from "@isthmus/federation-server";
import { describe, expect, it } from "vitest";
import { createInlineWorkers } from "../src/work/workers.ts";
import { plainClient, takePart } from "./plain-client.ts";
import { makeFederation, makeUpdate } from "./small-federation.ts";

describe("a federation whose journal is an hour ahead of the clock", () => {
  it("keeps the deadlines of the open round and of later ones", { timeout: 20_000 }, async () => {
    const plan = { rounds: 2, quorum: 1, available: 2, deadline: 700, attempts: 50 };
    const federation = await makeFederation({ clients: ["ada", "bea"], plan });
    const options = { logLevel: "silent" as const, workers: createInlineWorkers() };
    let server = await serveFederation(federation.config, { ...options, now: () => Date.now() + 3_600_000 });
    const client = (name: string) => plainClient(server.url, federation.tokens.get(name));
    try {
      for (const name of federation.tokens.keys()) await client(name).task();
      expect(await client("ada").task(5)).toMatchObject({ task: "train", round: 1 });
      await server.close();
      server = await serveFederation(federation.config, options);
      // Bea sends nothing, so that only deadlines end the rounds; a start in which ada is too late begins again.
      await takePart(
        () => server.url,
        federation.tokens.get("ada") ?? "",
        (round, network) => makeUpdate("ada", round, network),
      );
      expect(server.state.history.map(({ updates }) => updates.map(({ client: name }) => name))).toEqual([
        ["ada"],
        ["ada"],
      ]);
    } finally {
      await server.close();
      federation.remove();
    }
  });
});

describe("a federation whose clock was set hours ahead while its server was away", () => {
  it("begins the open round again, with the update that had come", { timeout: 20_000 }, async () => {
    const plan = { rounds: 1, quorum: 2, available: 2, deadline: 3_600_000 };
    const federation = await makeFederation({ clients: ["ada", "bea"], plan });
    const options = { logLevel: "silent" as const, workers: createInlineWorkers() };
    let server = await serveFederation(federation.config, options);
    const client = (name: string) => plainClient(server.url, federation.tokens.get(name));
    const send = async (name: string) => {
      const { round, network } = await client(name).task(5);
      const body = await makeUpdate(name, round, await client(name).model(network));
      await client(name).upload(body);
      return (await client(name).send(round, body)).status;
    };
    try {
      for (const name of federation.tokens.keys()) await client(name).task();
      expect(await send("ada")).toBe(200);
      await server.close();
      server = await serveFederation(federation.config, {
        ...options,
        now: () => Date.now() + 5 * 3_600_000,
      });
      expect(await send("bea")).toBe(200);
      const { status, history } = await server.finished;
      expect([status, history[0]?.attempts]).toEqual(["finished", 2]);
      expect(history[0]?.updates.map(({ client: name }) => name)).toEqual(["ada", "bea"]);
    } finally {
      await server.close();
      federation.remove();
    }
  });
});
