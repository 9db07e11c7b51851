import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  type Checkpoint,
  createCheckpoint,
  createTensor,
  openCheckpoint,
  saveCheckpoint,
  type Tensor,
} from "@isthmus/core";
import { addToken, removeToken } from "@isthmus/federation-server";
import { decodeGraph } from "@isthmus/graph";
import { afterEach, describe, expect, it } from "vitest";
import { plainClient, takePart } from "./plain-client.ts";
import { type Body, bodyOf, makeFederation, makeNetwork, makeUpdate } from "./small-federation.ts";
import { createServing, type ServedSmall } from "./start-server.ts";

const serving = createServing();
afterEach(() => serving.close());

const errorOf = async (response: Response): Promise<string> =>
  ((await response.json()) as { error: string }).error;

/** Lets all clients join, and returns the task of the first round. */
async function joinAll(federation: ServedSmall) {
  for (const name of federation.tokens.keys()) await federation.client(name).task();
  const [name = ""] = federation.tokens.keys();
  return federation.client(name).task(5);
}

/** Returns the bytes of a network with some tensors replaced. */
async function encode(
  federation: ServedSmall,
  change: (tensors: Map<string, Tensor>) => void,
): Promise<Body> {
  const base = await makeNetwork(7);
  const tensors = new Map<string, Tensor>();
  for (const name of base.tensors.keys()) tensors.set(name, await base.read(name));
  change(tensors);
  const path = join(federation.folder, "made.safetensors");
  await saveCheckpoint(createCheckpoint(tensors), path, { overwrite: true, allowNonFinite: true });
  return bodyOf(readFileSync(path));
}

async function submit(federation: ServedSmall, name: string, body: Body, more?: object): Promise<Response> {
  await federation.client(name).upload(body);
  return federation.client(name).send(1, body, more);
}

async function readAll(network: Checkpoint): Promise<number[]> {
  const values: number[] = [];
  for (const name of network.tensors.keys())
    for (const x of (await network.read(name)).data) values.push(Number(x));
  await network.close();
  return values;
}

describe("serveFederation()", () => {
  it("runs rounds to the mean of what clients send, weighted by examples", async () => {
    const federation = await serving.serve({ plan: { rounds: 1 } });
    const task = await joinAll(federation);
    const network = await federation.client("ada").model(task.network);
    const sent: number[][] = [];
    for (const [i, name] of ["ada", "bea", "cas"].entries()) {
      const body = await makeUpdate(name, 1, network);
      expect((await submit(federation, name, body, { examples: 100 * (i + 1) })).status).toBe(200);
      const path = join(federation.folder, `${name}.safetensors`);
      writeFileSync(path, body.bytes);
      sent.push(await readAll(await openCheckpoint(path)));
    }
    expect((await federation.server.finished).status).toBe("finished");
    const mean = await readAll(await openCheckpoint(federation.server.network()));
    const expected = mean.map((_, i) =>
      sent.reduce((sum, values, k) => sum + ((k + 1) / 6) * (values[i] as number), 0),
    );
    for (const [i, value] of mean.entries()) expect(value).toBeCloseTo(expected[i] as number, 6);
    expect(await federation.client("ada").task()).toMatchObject({ task: "finished" });
    // What was aggregated is no longer needed.
    await expect.poll(() => readdirSync(join(federation.config.folder, "updates"))).toEqual([]);
  });

  it("keeps the network of a round whose numbers are not finite, also over a restart, and stops after some", async () => {
    const small = await makeFederation({ plan: { rounds: 9, failures: 2 } });
    const strategy = { server: { name: "momentum", learningRate: 1e41 } };
    let federation = await serving.reopen({ ...small, config: { ...small.config, strategy } });
    const task = await joinAll(federation);
    const sendAll = async (round: number) => {
      const body = await encode(federation, () => {});
      for (const name of federation.tokens.keys()) {
        await federation.client(name).upload(body);
        expect((await federation.client(name).send(round, body)).status).toBe(200);
      }
    };
    await sendAll(1);
    expect(await federation.client("ada").task(5)).toMatchObject({ round: 2, network: task.network });
    const reason = /^Cannot aggregate "a\..*the result is too large.*"limits\.norm" refuses/;
    expect(federation.server.state.history).toMatchObject([
      { round: 1, hash: task.network, failed: expect.stringMatching(reason) },
    ]);
    const page = await federation.client("ada").request("GET", "/v1/summary");
    expect(await page.json()).toMatchObject({ history: [{ failed: expect.stringMatching(reason) }] });
    const { state } = federation.server;
    await federation.server.close();
    federation = await serving.reopen(federation);
    expect(federation.server.state.history).toEqual(state.history);
    await sendAll(2);
    expect(await federation.server.finished).toMatchObject({
      status: "failed",
      network: task.network,
      reason: expect.stringMatching(/^the updates of 2 rounds in a row came to nothing: Cannot aggregate/),
    });
    const models = readdirSync(join(federation.config.folder, "models"));
    expect(models).toEqual([`${task.network}.safetensors`]);
    await serving.close();
    small.remove();
  });

  it("goes on where it was when it is opened again", async () => {
    const federation = await serving.serve({ plan: { rounds: 2 } });
    const task = await joinAll(federation);
    const network = await federation.client("ada").model(task.network);
    await submit(federation, "ada", await makeUpdate("ada", 1, network));
    await federation.server.close();
    const again = await serving.reopen(federation);
    expect(await again.client("ada").task()).toMatchObject({
      task: "wait",
      reason: expect.stringContaining("is there"),
    });
    await Promise.all(
      [...again.tokens].map(([name, token]) =>
        takePart(
          () => again.server.url,
          token,
          (round, bytes) => makeUpdate(name, round, bytes),
        ),
      ),
    );
    expect(again.server.state).toMatchObject({ status: "finished", refusals: 0 });
  });

  it("refuses to go on with another plan once something happened, and says what differs", async () => {
    const federation = await serving.serve();
    await federation.client("ada").task();
    await federation.server.close();
    const { plan } = federation.config;
    const changed = { ...federation, config: { ...federation.config, plan: { ...plan, rounds: 2 } } };
    await expect(serving.reopen(changed)).rejects.toThrow(
      /: "plan.rounds" is 3 there and 2 here; .*"rounds" may be raised/,
    );
  });

  it("lets no second server at the same folder", async () => {
    const federation = await serving.serve();
    await expect(serving.reopen(federation)).rejects.toThrow(/no other process may be at work there/);
  });
});

describe("tokens", () => {
  it("keeps out who has none, a wrong one, or one that was taken back", async () => {
    const federation = await serving.serve();
    const { url } = federation.server;
    const secret = (federation.tokens.get("ada") as string).split(".")[1];
    for (const token of [
      undefined,
      "",
      "ada",
      "ada.",
      `bea.${secret}`,
      `nobody.${secret}`,
      `ada.${secret}x`,
      "a.b.c",
    ]) {
      const client = plainClient(url, token);
      for (const [method, path] of [
        ["GET", "/v1/rounds/current"],
        ["GET", "/v1/federation"],
        ["GET", `/v1/models/${federation.server.state.initial}`],
        ["PUT", `/v1/uploads/${"0".repeat(64)}`],
        ["POST", "/v1/rounds/1/updates"],
        ["DELETE", "/v1/membership"],
      ] as const) {
        expect((await client.request(method, path)).status).toBe(401);
      }
    }
    expect(federation.server.state.members).toEqual({});
    const { tokens } = federation.config;
    expect(readFileSync(tokens, "utf8")).not.toContain(secret);
    expect((await federation.client("ada").request("GET", "/v1/federation")).status).toBe(200);
    await removeToken(tokens, "ada");
    const later = await addToken(tokens, "dan");
    await expect
      .poll(async () => (await federation.client("ada").request("GET", "/v1/federation")).status, {
        timeout: 10_000,
      })
      .toBe(401);
    expect((await plainClient(url, later).request("GET", "/v1/federation")).status).toBe(200);
  });

  it("hides page and metrics from who has no token, if the federation is not public", async () => {
    const federation = await serving.serve({ public: false });
    const anyone = plainClient(federation.server.url, undefined);
    for (const path of ["/", "/metrics", "/v1/events", "/v1/summary"]) {
      expect((await anyone.request("GET", path)).status).toBe(401);
    }
    expect((await anyone.request("GET", "/health")).status).toBe(200);
    const basic = Buffer.from(`x:${federation.tokens.get("ada")}`).toString("base64");
    const response = await anyone.request("GET", "/", { headers: { authorization: `Basic ${basic}` } });
    expect(response.status).toBe(200);
  });

  it("answers a client only so often in a minute", async () => {
    const federation = await serving.serve({ limits: { requestsPerMinute: 5 } });
    const statuses: number[] = [];
    for (let i = 0; i < 7; i++)
      statuses.push((await federation.client("ada").request("GET", "/v1/federation")).status);
    expect(statuses).toEqual([200, 200, 200, 200, 200, 429, 429]);
    const wrong: number[] = [];
    const guess = plainClient(federation.server.url, "bea.guess");
    for (let i = 0; i < 7; i++) wrong.push((await guess.request("GET", "/v1/federation")).status);
    expect(wrong).toEqual([401, 401, 401, 401, 401, 429, 429]);
    expect((await federation.client("bea").request("GET", "/v1/federation")).status).toBe(200);
  });
});

describe("networks", () => {
  it("are sent whole, in ranges, and not again", async () => {
    const federation = await serving.serve();
    const { initial } = federation.server.state;
    const client = federation.client("ada");
    const whole = await client.model(initial);
    expect(bodyOf(whole).hash).toBe(initial);
    const path = `/v1/models/${initial}`;
    const get = (headers: Record<string, string>) => client.request("GET", path, { headers });
    const part = await get({ range: "bytes=100-199" });
    expect([part.status, part.headers.get("content-range")]).toEqual([206, `bytes 100-199/${whole.length}`]);
    expect(Buffer.from(await part.arrayBuffer())).toEqual(whole.subarray(100, 200));
    expect(Buffer.from(await (await get({ range: "bytes=-7" })).arrayBuffer())).toEqual(whole.subarray(-7));
    expect((await get({ range: `bytes=${whole.length}-` })).status).toBe(416);
    expect((await get({ range: "bytes=5-1" })).status).toBe(200);
    expect((await get({ "if-none-match": `"${initial}"` })).status).toBe(304);
    expect((await get({ range: "bytes=1-2", "if-range": '"other"' })).status).toBe(200);
    expect((await client.request("GET", `/v1/models/${"0".repeat(64)}`)).status).toBe(404);
    expect((await client.request("GET", "/v1/models/..%2f..%2ftokens.json")).status).toBe(400);
  });

  it("of clients are not sent to others", async () => {
    const federation = await serving.serve();
    await joinAll(federation);
    const body = await encode(federation, () => {});
    expect((await submit(federation, "ada", body)).status).toBe(200);
    expect((await federation.client("bea").request("GET", `/v1/models/${body.hash}`)).status).toBe(404);
  });

  it("come with a graph in one file, whatever file beside it an exporter put weights into", async () => {
    const small = await makeFederation();
    const weight = createTensor("f32", [2, 2], Float32Array.of(0, 1, 2, 3));
    await saveCheckpoint(createCheckpoint({ w: weight }), small.config.network, { overwrite: true });
    const graph = fileURLToPath(new URL("../../graph/test/fixtures/external.onnx", import.meta.url));
    const { server } = await serving.reopen({ ...small, config: { ...small.config, graph } });
    const ada = plainClient(server.url, small.tokens.get("ada") ?? "");
    const sent = await (await ada.request("GET", "/v1/graph")).arrayBuffer();
    const decoded = decodeGraph(new Uint8Array(sent)); // nothing beside it can be read
    expect([...decoded.graph.weights]).toEqual([["w", { dtype: "f32", shape: [2, 2], role: "parameter" }]]);
    await server.close();
    small.remove();
  });
});

describe("updates", () => {
  it("may be sent piece by piece, over lost connections and restarts of the server", async () => {
    const federation = await serving.serve();
    await joinAll(federation);
    const { bytes, hash } = await encode(federation, () => {});
    const patch = ({ client }: ServedSmall, begin: number, end: number) =>
      client("ada").request("PATCH", `/v1/uploads/${hash}`, {
        body: new Uint8Array(bytes.subarray(begin, end)),
        headers: {
          "content-type": "application/octet-stream",
          "upload-offset": String(begin),
          "upload-length": String(bytes.length),
        },
      });
    expect((await patch(federation, 0, 100)).headers.get("upload-offset")).toBe("100");
    const wrong = await patch(federation, 50, 120);
    expect([wrong.status, wrong.headers.get("upload-offset")]).toEqual([409, "100"]);
    expect((await federation.client("ada").send(1, { bytes, hash })).status).toBe(404);
    await federation.server.close();
    const again = await serving.reopen(federation);
    await joinAll(again);
    const head = await again.client("ada").request("HEAD", `/v1/uploads/${hash}`);
    expect(head.headers.get("upload-offset")).toBe("100");
    expect((await patch(again, 100, bytes.length)).headers.get("upload-offset")).toBe(String(bytes.length));
    expect((await again.client("ada").send(1, { bytes, hash })).status).toBe(200);
  });

  it("must have the hash that they were announced with", async () => {
    const federation = await serving.serve();
    await joinAll(federation);
    const { bytes } = await encode(federation, () => {});
    const response = await federation.client("ada").upload({ bytes, hash: "0".repeat(64) });
    expect([response.status, await errorOf(response)]).toEqual([
      422,
      expect.stringContaining("they have another"),
    ]);
    expect((await federation.client("ada").send(1, { bytes, hash: "0".repeat(64) })).status).toBe(404);
  });

  it.each<[string, (tensors: Map<string, Tensor>) => void, string]>([
    [
      "NaN",
      (t) => t.set("a.bias", createTensor("f32", [16], new Float32Array(16).fill(Number.NaN, 3))),
      'element 3 of "a.bias" is NaN',
    ],
    [
      "infinity",
      (t) => t.set("b.weight", createTensor("f32", [4, 16], new Float32Array(64).fill(-Infinity, 63))),
      'element 63 of "b.weight" is -Infinity',
    ],
    [
      "another shape",
      (t) => t.set("a.bias", createTensor("f32", [4, 4], new Float32Array(16))),
      '"a.bias" is [16] and [4, 4]',
    ],
    [
      "another type",
      (t) => t.set("a.bias", createTensor("f64", [16], new Float64Array(16))),
      '"a.bias" is f32 and f64',
    ],
    ["one tensor less", (t) => t.delete("a.bias"), '"a.bias" is only in "the network"'],
    ["one tensor more", (t) => t.set("c", createTensor("f32", [1], new Float32Array(1))), "only in"],
    [
      "too large a norm",
      (t) => t.set("a.bias", createTensor("f32", [16], new Float32Array(16).fill(100))),
      "the norm of its change must be at most 50",
    ],
  ])("are refused with %s", async (_, change, reason) => {
    const federation = await serving.serve({ limits: { norm: 50 } });
    await joinAll(federation);
    const response = await submit(federation, "ada", await encode(federation, change));
    expect([response.status, await errorOf(response)]).toEqual([422, expect.stringContaining(reason)]);
    expect(federation.server.state).toMatchObject({
      refusals: 1,
      updates: [],
      refused: [{ client: "ada", round: 1 }],
    });
    // The client may send a better one.
    expect((await submit(federation, "ada", await encode(federation, () => {}))).status).toBe(200);
  });

  it("are refused without a limit where they are finite and huge, and count where that is switched off", async () => {
    const huge = (t: Map<string, Tensor>) =>
      t.set("a.bias", createTensor("f32", [16], new Float32Array(16).fill(1e20)));
    const federation = await serving.serve();
    await joinAll(federation);
    const response = await submit(federation, "ada", await encode(federation, huge));
    expect([response.status, await errorOf(response)]).toEqual([
      422,
      expect.stringMatching(/the norm of its change must be at most .* 1000 times that of the network/),
    ]);
    const open = await serving.serve({ limits: { norm: "none" } });
    await joinAll(open);
    expect((await submit(open, "ada", await encode(open, huge))).status).toBe(200);
  });

  it.each([
    ["text", Buffer.from("hello, this is no network")],
    ["a pickle", Buffer.from("PK\x03\x04aaaaaaaaaaaaaaaaaaaa", "latin1")],
    ["a header that is too long", Buffer.from([255, 255, 255, 255, 0, 0, 0, 0, 0x7b, 0x7d])],
    ["a header that is no JSON", Buffer.concat([Buffer.from([4, 0, 0, 0, 0, 0, 0, 0]), Buffer.from("{{{{")])],
    ["a JSON index", Buffer.from('{"weight_map": {"a.bias": "../../../etc/passwd"}}')],
    ["nothing", Buffer.alloc(0)],
  ])("are refused if they are %s", async (_, bytes) => {
    const federation = await serving.serve();
    await joinAll(federation);
    const body = bodyOf(bytes);
    await federation.client("ada").upload(body);
    const response = await federation.client("ada").send(1, body);
    expect([404, 422]).toContain(response.status);
    const error = await errorOf(response);
    expect(error).not.toContain(federation.folder);
    expect(federation.server.state.updates).toEqual([]);
  });

  it("are refused by size before a byte is read, whatever they claim", async () => {
    const federation = await serving.serve();
    await joinAll(federation);
    const response = await federation.client("ada").request("PATCH", `/v1/uploads/${"0".repeat(64)}`, {
      body: new Uint8Array(1000),
      headers: {
        "content-type": "application/octet-stream",
        "upload-offset": "0",
        "upload-length": String(10 * 2 ** 30),
      },
    });
    expect([response.status, await errorOf(response)]).toEqual([413, expect.stringContaining("10737418240")]);
    expect(readdirSync(join(federation.config.folder, "uploads"))).toEqual([]);
  });

  it("count once, however often they are sent, and not in a later round", async () => {
    const federation = await serving.serve({ clients: ["ada", "bea"] });
    const task = await joinAll(federation);
    const network = await federation.client("ada").model(task.network);
    const [ada, bea] = [await makeUpdate("ada", 1, network), await makeUpdate("bea", 1, network)];
    for (let i = 0; i < 3; i++) expect((await federation.client("ada").upload(ada)).status).toBe(204);
    for (let i = 0; i < 3; i++) expect((await federation.client("ada").send(1, ada)).status).toBe(200);
    const other = await submit(federation, "ada", await makeUpdate("ada", 2, network));
    expect([other.status, await errorOf(other)]).toEqual([
      409,
      expect.stringContaining("counted for round 1 already"),
    ]);
    await submit(federation, "bea", bea);
    expect(await federation.client("ada").task(5)).toMatchObject({ task: "train", round: 2 });
    // The answer to an update that counted is the same later.
    expect((await federation.client("ada").send(1, ada)).status).toBe(200);
    await federation.client("ada").upload(other.ok ? ada : await makeUpdate("ada", 3, network));
    const late = await federation.client("ada").send(1, await makeUpdate("ada", 3, network));
    expect(late.status).toBe(409);
    const early = await federation.client("ada").send(3, ada);
    expect([early.status, await errorOf(early)]).toEqual([409, expect.stringContaining("no round 3 yet")]);
    expect(federation.server.state.history[0]?.updates.map(({ hash }) => hash)).toEqual([ada.hash, bea.hash]);
  });

  it("of more examples than allowed are refused", async () => {
    const federation = await serving.serve({ limits: { examples: 1000 } });
    await joinAll(federation);
    const body = await encode(federation, () => {});
    const response = await submit(federation, "ada", body, { examples: 1e9 });
    expect([response.status, await errorOf(response)]).toEqual([
      422,
      expect.stringContaining("may claim 1000 examples"),
    ]);
    for (const bad of [
      { examples: 0 },
      { examples: 1.5 },
      { examples: null },
      { loss: "x" },
      { metrics: { a: "b" } },
    ]) {
      expect((await federation.client("ada").send(1, body, bad)).status).toBe(400);
    }
  });

  it("need not have the tensors that clients keep, which stay as they were", async () => {
    const federation = await serving.serve({ keepTensors: ["a.bias"], plan: { rounds: 1 } });
    const task = await joinAll(federation);
    const about = (await (await federation.client("ada").request("GET", "/v1/federation")).json()) as {
      keep: string[];
    };
    expect(about.keep).toEqual(["a.bias"]);
    for (const name of federation.tokens.keys()) {
      const body = await encode(federation, (tensors) => tensors.delete("a.bias"));
      expect((await submit(federation, name, body)).status).toBe(200);
    }
    await federation.server.finished;
    const [before, after] = [
      await openCheckpoint(federation.config.network),
      await openCheckpoint(federation.server.network()),
    ];
    expect((await after.read("a.bias")).data).toEqual((await before.read("a.bias")).data);
    expect((await after.read("b.weight")).data).not.toEqual((await before.read("b.weight")).data);
    await Promise.all([before.close(), after.close()]);
    expect(task.round).toBe(1);
  });
});

describe("clients", () => {
  it("that say nothing any more leave, and the round closes without them", async () => {
    const federation = await serving.serve({
      plan: { quorum: 2, available: 3, rounds: 1 },
      limits: { presenceSeconds: 0.5 },
    });
    const task = await joinAll(federation);
    const network = await federation.client("ada").model(task.network);
    const beat = setInterval(() => {
      for (const name of ["ada", "bea"]) void federation.client(name).task();
    }, 100);
    for (const name of ["ada", "bea"]) await submit(federation, name, await makeUpdate(name, 1, network));
    await federation.server.finished.finally(() => clearInterval(beat));
    expect(federation.server.state.history).toMatchObject([
      { clients: ["ada", "bea", "cas"], updates: [{}, {}] },
    ]);
    expect(federation.server.state.members["cas"]).toEqual({ present: false, sent: 0 });
  });

  it("are there as long as a request of theirs is open", async () => {
    const federation = await serving.serve({ plan: { available: 3 }, limits: { presenceSeconds: 0.4 } });
    const journal = (): string => readFileSync(join(federation.config.folder, "journal.jsonl"), "utf8");
    await Promise.all(["ada", "bea"].map((name) => federation.client(name).task(2)));
    expect(journal()).toContain("client-joined");
    expect(journal()).not.toContain("client-left");
    await expect.poll(journal, { timeout: 5000 }).toContain("client-left");
  });

  it("are asked when others leave and the quorum would be out of reach", async () => {
    const clients = ["ada", "bea", "cas", "dan"];
    const plan = { quorum: 3, available: 4, fraction: 0.5, rounds: 1 };
    const federation = await serving.serve({ clients, plan });
    await joinAll(federation);
    const [leaver = "", ...others] = federation.server.state.open?.clients ?? [];
    const idle = clients.find((name) => name !== leaver && !others.includes(name)) as string;
    expect(await federation.client(idle).task()).toMatchObject({ task: "wait" });
    await federation.client(leaver).request("DELETE", "/v1/membership");
    const { network } = await federation.client(idle).task(5);
    const bytes = await federation.client(idle).model(network);
    for (const name of [...others, idle]) {
      expect((await submit(federation, name, await makeUpdate(name, 1, bytes))).status).toBe(200);
    }
    expect(await federation.server.finished).toMatchObject({ status: "finished", refusals: 0 });
  });

  it("are described by OpenAPI and counted for Prometheus", async () => {
    const federation = await serving.serve();
    await joinAll(federation);
    await submit(federation, "ada", await encode(federation, () => {}));
    const anyone = plainClient(federation.server.url, undefined);
    const api = (await (await anyone.request("GET", "/v1/openapi.json")).json()) as {
      openapi: string;
      paths: object;
    };
    expect(api.openapi).toBe("3.1.0");
    expect(Object.keys(api.paths)).toEqual(
      expect.arrayContaining([
        "/v1/rounds/current",
        "/v1/uploads/{hash}",
        "/v1/rounds/{round}/updates",
        "/v1/models/{hash}",
      ]),
    );
    const metrics = await (await anyone.request("GET", "/metrics")).text();
    expect(metrics).toMatch(/^isthmus_federation_clients_present 3$/m);
    expect(metrics).toMatch(/^isthmus_federation_updates_total\{result="accepted"\} 1$/m);
    expect(metrics).toMatch(/^process_resident_memory_bytes \d+/m);
  });
});
