import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  type Checkpoint,
  createCheckpoint,
  createTensor,
  openCheckpoint,
  saveCheckpoint,
  saveFile,
  type Tensor,
} from "@isthmus/core";
import type { FederationPlanOptions, PrivacyDescription } from "@isthmus/federated";
import { encodeGraph } from "@isthmus/graph";
import { parseNetwork } from "@isthmus/zoo";
import { afterEach, describe, expect, it } from "vitest";
import { takePart } from "./plain-client.ts";
import { bodyOf, makeFederation, makeNetwork, makeUpdate, type SmallFederation } from "./small-federation.ts";
import { createServing, type ServedSmall } from "./start-server.ts";

const serving = createServing();
afterEach(() => serving.close());

/** Returns a federation with another plan. */
function withPlan<F extends SmallFederation>(federation: F, plan: FederationPlanOptions): F {
  const { config } = federation;
  return { ...federation, config: { ...config, plan: { ...config.plan, ...plan } } };
}

/** Returns a network with the statistics of a batch norm of three units beside its tensors, which are multiplied. */
async function withNorm(network: Checkpoint, { mean = 0, variance = 1 } = {}): Promise<Checkpoint> {
  const tensors = new Map<string, Tensor>();
  for (const name of network.tensors.keys()) tensors.set(name, await network.read(name));
  const filled = (value: number) => createTensor("f32", [3], new Float32Array(3).fill(value));
  return createCheckpoint(
    tensors.set("norm.running_mean", filled(mean)).set("norm.running_var", filled(variance)),
  );
}

/** Reads what a server says of its federation, without letting a client join. */
async function aboutOf(
  federation: ServedSmall,
): Promise<{ readonly rounds: number; readonly identity: string }> {
  return (await federation.client("ada").request("GET", "/v1/federation")).json();
}

describe("serveFederation() at its start", () => {
  it("begins with another plan if nothing has happened, under another identity", async () => {
    const federation = await serving.serve();
    const before = await aboutOf(federation);
    await federation.server.close();
    const same = await serving.reopen(federation);
    expect(await aboutOf(same)).toEqual(before);
    await same.server.close();
    const changed = await aboutOf(await serving.reopen(withPlan(federation, { rounds: 2 })));
    expect(changed).toMatchObject({ rounds: 2, identity: expect.stringMatching(/^[\da-f]{32}$/) });
    expect(changed.identity).not.toBe(before.identity);
  });

  it("goes on after its last round if the plan has more rounds", async () => {
    let federation = await serving.serve({ plan: { rounds: 1 } });
    const play = (served: ServedSmall) =>
      Promise.all(
        [...served.tokens].map(([name, token]) =>
          takePart(
            () => served.server.url,
            token,
            (round, bytes) => makeUpdate(name, round, bytes),
          ),
        ),
      );
    await play(federation);
    const { network, status } = federation.server.state;
    expect(status).toBe("finished");
    await federation.server.close();
    federation = await serving.reopen(withPlan(federation, { rounds: 3 }));
    await play(federation);
    const { history } = federation.server.state;
    expect(history.map(({ round }) => round)).toEqual([1, 2, 3]);
    expect(history[0]?.hash).toBe(network);
  });

  it("refuses a plan whose privacy cannot be kept before it writes, so that a mended one is served", async () => {
    const privacy: PrivacyDescription = {
      ...{ clip: 1, noise: 1, clients: 3, delta: 0.001, sampling: { kind: "all" } },
    };
    const small = await makeFederation({ privacy });
    await saveCheckpoint(await withNorm(await makeNetwork(0)), small.config.network, { overwrite: true });
    await expect(serving.reopen(small)).rejects.toThrow(
      /"norm\.running_mean" is averaged without clipping and noise: keep it with the clients.* strategy: \{ share: \{ statistics: keep \} \}/,
    );
    expect(readdirSync(small.config.folder)).not.toContain("journal.jsonl");
    const strategy = { ...small.config.strategy, share: { statistics: "keep" as const } };
    const mended = await serving.reopen({ ...small, config: { ...small.config, strategy } });
    expect(mended.server.state.status).toBe("waiting");
    await serving.close();
    small.remove();
  });

  it("refuses a graph that does not read its network before it listens, without naming options it lacks", async () => {
    const small = await makeFederation();
    const { graph, initialize } = parseNetwork("mlp:8", { exampleShape: [4], classes: 2 });
    await saveCheckpoint(await withNorm(initialize(0)), small.config.network, { overwrite: true });
    const path = join(small.folder, "graph.onnx");
    await saveFile(path, encodeGraph(graph));
    const served = serving.reopen({ ...small, config: { ...small.config, graph: path } });
    await expect(served).rejects.toThrow(
      /^(?!.*--)Cannot feed ".*start\.safetensors" to graph.*are not, "norm\.running_mean".*optimize=False/s,
    );
    expect(readdirSync(small.config.folder)).not.toContain("journal.jsonl");
    small.remove();
  });
});

describe("running statistics of clients", () => {
  it("must not have negative variances, and are combined by the median if the rule resists attackers", async () => {
    const small = await makeFederation({ plan: { rounds: 1 }, rule: "coordinate-median" });
    const start = await withNorm(await makeNetwork(0));
    await saveCheckpoint(start, small.config.network, { overwrite: true });
    const federation = await serving.reopen(small);
    for (const name of federation.tokens.keys()) await federation.client(name).task();
    await federation.client("ada").task(5);
    const send = async (name: string, mean: number, variance: number) => {
      const path = join(small.folder, "made.safetensors");
      await saveCheckpoint(await withNorm(await makeNetwork(0), { mean, variance }), path, {
        overwrite: true,
      });
      const body = bodyOf(readFileSync(path));
      await federation.client(name).upload(body);
      return federation.client(name).send(1, body);
    };
    const refused = await send("cas", 0, -20);
    expect(refused.status).toBe(422);
    expect(await refused.text()).toMatch(
      /variances must not be negative: element 0 of .*norm\.running_var.* is -20/,
    );
    for (const [name, mean, variance] of [
      ["ada", 0.25, 2],
      ["bea", 0.5, 3],
      ["cas", -2000, 4000],
    ] as const) {
      expect((await send(name, mean, variance)).status).toBe(200);
    }
    await federation.server.finished;
    const network = await openCheckpoint(federation.server.network());
    expect((await network.read("norm.running_mean")).data).toEqual(new Float32Array(3).fill(0.25));
    expect((await network.read("norm.running_var")).data).toEqual(new Float32Array(3).fill(3));
    await network.close();
    await serving.close();
    small.remove();
  });
});
