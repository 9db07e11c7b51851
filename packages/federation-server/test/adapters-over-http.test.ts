import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  type Checkpoint,
  createCheckpoint,
  createRandom,
  createTensor,
  openCheckpoint,
  saveCheckpoint,
  type Tensor,
} from "@isthmus/core";
import { aggregateUpdates, scaleBy, sortFactors } from "@isthmus/federated";
import { serveFederation } from "@isthmus/federation-server";
import { afterEach, describe, expect, it } from "vitest";
import { readFederation } from "../src/config/read-config.ts";
import { type Body, bodyOf, makeFederation, type SmallOptions } from "./small-federation.ts";
import { createServing, type ServedSmall } from "./start-server.ts";

const serving = createServing();
afterEach(() => serving.close());

const [A, B] = ["m.lora_A.weight", "m.lora_B.weight"];
const [OUT, IN] = [6, 5];

/** Draws an adapter of a rank, and a head beside it. */
function adapterOf(seed: number, rank: number, changes: Record<string, Tensor> = {}): Checkpoint {
  const random = createRandom(seed, "adapter");
  const draw = (...shape: readonly [number, number]) =>
    createTensor(
      "f32",
      shape,
      Float32Array.from({ length: shape[0] * shape[1] }, () => random.normal()),
    );
  return createCheckpoint({ [A]: draw(rank, IN), [B]: draw(OUT, rank), head: draw(1, 3), ...changes });
}

async function encode(federation: ServedSmall, network: Checkpoint): Promise<Body> {
  const path = join(federation.folder, "made.safetensors");
  await saveCheckpoint(network, path, { overwrite: true, allowNonFinite: true });
  return bodyOf(readFileSync(path));
}

async function serve(options: SmallOptions): Promise<ServedSmall> {
  const federation = await serving.serve({ network: adapterOf(0, 4), plan: { rounds: 1 }, ...options });
  for (const name of federation.tokens.keys()) await federation.client(name).task();
  return federation;
}

async function submit(federation: ServedSmall, name: string, network: Checkpoint, more?: object) {
  const client = federation.client(name);
  const body = await encode(federation, network);
  const uploaded = await client.upload(body);
  if (!uploaded.ok) return { status: uploaded.status, error: "" };
  const response = await client.send(1, body, more);
  const { error = "" } = (await response.json()) as { error?: string };
  return { status: response.status, error };
}

describe("a server of adapters", () => {
  it("aggregates the products of clients of any rank, as the library does", async () => {
    const adapters = { alpha: 8 } as const;
    const federation = await serve({ adapters, limits: { rank: 6 } });
    const about = await (await federation.client("ada").request("GET", "/v1/federation")).json();
    expect(about).toMatchObject({ adapters: { alpha: 8, rankStabilized: false, rank: 6 } });
    const sent = [adapterOf(1, 2), adapterOf(2, 4), adapterOf(3, 6)];
    for (const [i, name] of ["ada", "bea", "cas"].entries()) {
      expect(
        await submit(federation, name, sent[i] as Checkpoint, { examples: 100 * (i + 1) }),
      ).toMatchObject({
        status: 200,
      });
    }
    expect((await federation.server.finished).status).toBe("finished");
    const shared = new Map([A, B, "head"].map((name) => [name, "share"] as const));
    const start = await sortFactors(adapterOf(0, 4), shared);
    const updates = ["ada", "bea", "cas"].map((client, i) => ({
      client,
      examples: 100 * (i + 1),
      network: sent[i] as Checkpoint,
    }));
    const expected = await aggregateUpdates(start, updates, { scaleOf: scaleBy(adapters) });
    const network = await openCheckpoint(federation.server.network());
    for (const name of [A, B, "head"]) {
      expect((await network.read(name)).data).toEqual((await expected.network.read(name)).data);
    }
    await network.close();
  });

  it("refuses hostile factors by what is wrong with them, and counts what comes next", async () => {
    const federation = await serve({ adapters: { alpha: "rank" }, limits: { rank: 5, bytes: 100_000 } });
    const of = (...shape: readonly number[]) =>
      createTensor("f32", shape, new Float32Array(shape.reduce((size, extent) => size * extent, 1)));
    const nan = createTensor("f32", [2, IN], new Float32Array(2 * IN).fill(Number.NaN));
    const huge = createTensor("f32", [2, IN], new Float32Array(2 * IN).fill(1e30));
    const hostile: readonly (readonly [Checkpoint, RegExp])[] = [
      [adapterOf(1, 6), /the rank of "m" must be at most 5: it is 6.*"limits\.rank"/],
      [adapterOf(1, 700), /at most 5: it is 700/],
      [adapterOf(1, 2, { [B]: of(OUT, 3) }), /tensors must be those of the network/],
      [adapterOf(1, 2, { [A]: of(0, IN), [B]: of(OUT, 0) }), /tensors must be those of the network/],
      [adapterOf(1, 2, { [A]: of(2, IN + 1) }), /tensors must be those of the network/],
      [adapterOf(1, 2, { [A]: of(2) }), /tensors must be those of the network/],
      [adapterOf(1, 2, { [A]: nan }), /must be finite: element 0 of "m\.lora_A\.weight" is NaN/],
      [adapterOf(1, 2, { [A]: huge }), /the norm of its change must be at most/],
    ];
    for (const [update, reason] of hostile) {
      const { status, error } = await submit(federation, "ada", update);
      expect([status, error]).toEqual([422, expect.stringMatching(reason)]);
    }
    const oversized = await serve({ adapters: { alpha: "rank" }, limits: { rank: 8 } });
    expect((await submit(oversized, "ada", adapterOf(1, 60_000))).status).toBe(413);
    expect((await submit(federation, "ada", adapterOf(1, 5))).status).toBe(200);
  });

  it("takes the rank of the network alone if no scale is stated", async () => {
    const federation = await serve({});
    expect(await submit(federation, "ada", adapterOf(1, 2))).toMatchObject({
      status: 422,
      error: expect.stringMatching(
        /that of the network, 4, as the scale of others is not known.*"strategy\.adapters"/,
      ),
    });
    expect((await submit(federation, "ada", adapterOf(1, 4))).status).toBe(200);
  });

  it("averages one factor if the other one stays with the clients", async () => {
    const federation = await serve({ keepTensors: [A], clients: ["ada", "bea"] });
    const about = await (await federation.client("ada").request("GET", "/v1/federation")).json();
    expect(about).toMatchObject({ keep: [A], adapters: null });
    const without = async (seed: number) => {
      const network = adapterOf(seed, 4);
      return createCheckpoint({ [B]: await network.read(B), head: await network.read("head") });
    };
    for (const [i, name] of ["ada", "bea"].entries()) {
      expect((await submit(federation, name, await without(i + 1))).status).toBe(200);
    }
    await federation.server.finished;
    const network = await openCheckpoint(federation.server.network());
    const [one, other] = [await adapterOf(1, 4).read(B), await adapterOf(2, 4).read(B)];
    const { data } = await network.read(B);
    for (const [i, value] of data.entries()) {
      expect(value).toBeCloseTo((Number(one.data[i]) + Number(other.data[i])) / 2, 5);
    }
    await network.close();
  });

  it("is not started where products would be needed in full", async () => {
    const start = async (options: SmallOptions) => {
      const small = await makeFederation({ network: adapterOf(0, 4), ...options });
      try {
        await (await serveFederation(small.config, { logLevel: "silent" })).close();
      } finally {
        small.remove();
      }
    };
    await expect(start({ server: "adam" })).rejects.toThrow(/choose "average" or "momentum"/);
    await expect(start({ plan: { secure: { threshold: 0.6, range: 8, examplesCap: 9 } } })).rejects.toThrow(
      /sum of factors, which is not the sum of products/,
    );
  });

  it("is described in a file", async () => {
    const small = await makeFederation();
    const { writeFileSync } = await import("node:fs");
    const path = join(small.folder, "f.yml");
    writeFileSync(path, "network: a\nstrategy: { adapters: { alpha: rank } }\nlimits: { rank: 16 }");
    expect(await readFederation(path)).toMatchObject({
      strategy: { adapters: { alpha: "rank" } },
      limits: { rank: 16 },
    });
    writeFileSync(path, "network: a\nstrategy: { adapters: { alpha: -1 } }");
    await expect(readFederation(path)).rejects.toThrow(/"strategy\.adapters\.alpha" must be/);
    small.remove();
  });
});
