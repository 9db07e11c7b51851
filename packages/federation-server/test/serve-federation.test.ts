import { readFileSync } from "node:fs";
import { openCheckpoint } from "@isthmus/core";
import { createInlineWorkers, type ServedFederation, serveFederation } from "@isthmus/federation-server";
import { afterEach, describe, expect, it } from "vitest";
import { plainClient, takePart } from "./plain-client.ts";
import {
  bodyOf,
  makeFederation,
  makeNetwork,
  makeUpdate,
  type SmallFederation,
  type SmallOptions,
} from "./small-federation.ts";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function serve(options?: SmallOptions): Promise<SmallFederation & { server: ServedFederation }> {
  const federation = await makeFederation(options);
  closers.push(federation.remove);
  return { ...federation, server: await reopen(federation) };
}

async function reopen({ config }: SmallFederation): Promise<ServedFederation> {
  const server = await serveFederation(config, { logLevel: "warn", workers: createInlineWorkers() });
  closers.push(server.close);
  return server;
}

const clientOf = ({ server, tokens }: Awaited<ReturnType<typeof serve>>, name: string) =>
  plainClient(server.url, tokens.get(name));

describe("serveFederation()", () => {
  it("runs rounds to the mean of what clients send", async () => {
    const federation = await serve();
    const { server, tokens } = federation;
    await Promise.all(
      [...tokens].map(([name, token]) =>
        takePart(
          () => server.url,
          token,
          (round, network) => makeUpdate(name, round, network),
        ),
      ),
    );
    const state = await server.finished;
    expect(state).toMatchObject({ status: "finished", refusals: 0 });
    expect(state.history.map(({ updates }) => updates.length)).toEqual([3, 3, 3]);
    const network = await openCheckpoint(server.network());
    const { data } = await network.read("a.bias");
    await network.close();
    const start = readFileSync(federation.config.network);
    expect(data).toHaveLength(16);
    expect(bodyOf(start).hash).toBe(state.initial);
  });
});
void makeNetwork;
void clientOf;
