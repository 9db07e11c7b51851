// A round of a federation with many clients over loopback: the server's memory and time, beside the time of writing and reading the same
// bytes once, in the same run. The server is a process of its own; all clients are in this one, and send at once.
//
//   npm run build && npx tsx --conditions=@isthmus/source tools/bench/federation-load.ts [--clients 200] [--mb 50] [--rounds 1] [--folder /tmp] [--synced]
//
// Many clients with a small network: --clients 1000 --mb 0.1 --rounds 2.
//
// Prints a line of JSON. "plain" is the time of writing the bytes of all updates into files and reading them back; "download" that of sending
// the network to all clients; "round" that from the first byte of an update to the new network. With --synced, "synced" is the time of plain
// writing and reading where each file is on the disk before the next one is written, as the server answers nobody before that. cpuSeconds has
// those of the server's processors, which other programs on the machine change less, and of all clients together.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { createCheckpoint, createRandom, createTensor, saveCheckpoint } from "@isthmus/core";
import { addToken, readFederation } from "@isthmus/federation-server";

const { values } = parseArgs({
  options: {
    clients: { type: "string", default: "200" },
    mb: { type: "string", default: "50" },
    rounds: { type: "string", default: "1" },
    folder: { type: "string", default: tmpdir() },
    synced: { type: "boolean", default: false },
  },
});
const [count, rounds] = [Number(values.clients), Number(values.rounds)];
const folder = mkdtempSync(join(values.folder, "isthmus-load-"));
const CHUNK = 2 ** 20;

/** Writes a network of random numbers, in layers of a million. */
async function writeNetwork(path: string): Promise<Buffer> {
  const random = createRandom(0);
  const table = Float32Array.from({ length: 2 ** 16 }, () => random.normal());
  const elements = Math.round((Number(values.mb) * 1e6) / 4);
  const layers = Math.max(1, Math.round(elements / 1e6));
  const tensors = Object.fromEntries(
    Array.from({ length: layers }, (_, layer) => {
      const length = Math.floor(elements / layers);
      const data = Float32Array.from({ length }, (_, i) => table[(i * 31 + layer * 7919) & 0xffff] as number);
      return [`layers.${layer}.weight`, createTensor("f32", [length], data)] as const;
    }),
  );
  await saveCheckpoint(createCheckpoint(tensors), path);
  return readFileSync(path);
}

/** Writes the bytes of all updates into files, each of which may have to be on the disk before the next one, and reads them back. */
function writeAndRead(bytes: Buffer, synced: boolean): { seconds: number; cpu: number } {
  const place = join(folder, "plain");
  mkdirSync(place);
  const cpu = process.cpuUsage();
  const began = performance.now();
  for (let client = 0; client < count; client++) {
    const file = openSync(join(place, `${client}`), "w");
    for (let begin = 0; begin < bytes.length; begin += CHUNK)
      writeSync(file, bytes.subarray(begin, begin + CHUNK));
    if (synced) fsyncSync(file);
    closeSync(file);
  }
  const chunk = Buffer.alloc(CHUNK);
  for (let client = 0; client < count; client++) {
    const file = openSync(join(place, `${client}`), "r");
    while (readSync(file, chunk) > 0);
    closeSync(file);
  }
  const seconds = (performance.now() - began) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  rmSync(place, { recursive: true });
  return { seconds, cpu: (user + system) / 1e6 };
}

const networkPath = join(folder, "start.safetensors");
const network = await writeNetwork(networkPath);
const plain = writeAndRead(network, false);
const synced = values.synced ? writeAndRead(network, true) : undefined;
const names = Array.from({ length: count }, (_, i) => `client-${i}`);
const yaml = join(folder, "load.yml");
writeFileSync(
  yaml,
  `network: start.safetensors\nrounds: ${rounds}\nquorum: ${count}\nport: 0\ndeadline: 2h\nlimits: { requestSeconds: 3600, presenceSeconds: 3600, requestsPerMinute: 100000 }\n`,
);
const config = await readFederation(yaml);
const tokens = new Map<string, string>();
for (const name of names) tokens.set(name, await addToken(config.tokens, name));
writeFileSync(join(folder, "config.json"), JSON.stringify(config));
const script = fileURLToPath(
  new URL("../../packages/federation-server/test/server-child.mjs", import.meta.url),
);
const child = spawn(process.execPath, [script, join(folder, "config.json")], {
  stdio: ["ignore", "pipe", "inherit"],
});
const [url] = (await once(createInterface(child.stdout), "line")) as [string];
const status = (name: string): number =>
  Math.round(
    Number(new RegExp(`${name}:\\s+(\\d+)`).exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))?.[1]) /
      1024,
  );
const started = status("VmRSS");
/** Returns the seconds of processors that the server took so far, of which there are a hundred ticks in each. */
const cpuSeconds = (): number => {
  const [user, system] =
    readFileSync(`/proc/${child.pid}/stat`, "utf8").split(") ")[1]?.split(" ").slice(11, 13) ?? [];
  return (Number(user) + Number(system)) / 100;
};
const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });

/** Asks the server; the body is written piece by piece, as fast as the server takes it. */
function ask(
  client: string,
  method: string,
  path: string,
  { headers = {}, pieces = [] }: { headers?: Record<string, string>; pieces?: readonly Buffer[] } = {},
) {
  return new Promise<{ status: number; body: Buffer[]; length: number }>((resolve, reject) => {
    const outgoing = request(
      `${url}${path}`,
      { method, agent, headers: { authorization: `Bearer ${tokens.get(client)}`, ...headers } },
      (answer) => {
        const body: Buffer[] = [];
        let length = 0;
        answer.on("data", (bytes: Buffer) => {
          length += bytes.length;
          if (length < 1e5) body.push(bytes);
        });
        answer.on("end", () => resolve({ status: answer.statusCode ?? 0, body, length }));
        answer.on("error", reject);
      },
    );
    outgoing.on("error", reject);
    void (async () => {
      for (const piece of pieces) if (!outgoing.write(piece)) await once(outgoing, "drain");
      outgoing.end();
    })().catch(reject);
  });
}

/** Returns the bytes of a client's update: the network with its last number changed. */
function updateOf(client: number, round: number) {
  const tail = Buffer.from(network.subarray(network.length - 4));
  tail.writeFloatLE(client + round / 8);
  const body = network.subarray(0, network.length - 4);
  const pieces = Array.from({ length: Math.ceil(body.length / CHUNK) }, (_, i) =>
    body.subarray(i * CHUNK, (i + 1) * CHUNK),
  );
  return { pieces: [...pieces, tail], hash: prefix.copy().update(tail).digest("hex") };
}

const prefix = createHash("sha256").update(network.subarray(0, network.length - 4));
/** Sends the updates of all clients at once, and waits for the network of the next round. */
async function sendAll(round: number, before: string | undefined): Promise<void> {
  await Promise.all(
    names.map(async (name, i) => {
      const { pieces, hash } = updateOf(i, round);
      const sent = await ask(name, "PUT", `/v1/uploads/${hash}`, {
        pieces,
        headers: { "content-type": "application/octet-stream", "content-length": String(network.length) },
      });
      const counted = await ask(name, "POST", `/v1/rounds/${round}/updates`, {
        pieces: [Buffer.from(JSON.stringify({ hash, examples: 100 }))],
        headers: { "content-type": "application/json" },
      });
      if (sent.status !== 204 || counted.status !== 200)
        throw new Error(`${name}: ${sent.status}, ${counted.status} ${Buffer.concat(counted.body)}`);
    }),
  );
  for (;;) {
    const { body } = await ask(names[0] as string, "GET", "/v1/federation");
    const { network: now } = JSON.parse(Buffer.concat(body).toString()) as { network: string };
    if (now !== before) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const seconds = { download: 0, round: 0 };
const cpu = { download: 0, round: 0, clients: 0 };
/** Adds the time of a phase, and what the server's processors took for it. */
async function measure(phase: keyof typeof seconds, act: () => Promise<unknown>): Promise<void> {
  const [began, before, own] = [performance.now(), cpuSeconds(), process.cpuUsage()];
  await act();
  const { user, system } = process.cpuUsage(own);
  if (phase === "round") cpu.clients += (user + system) / 1e6 / rounds;
  seconds[phase] += (performance.now() - began) / 1000 / rounds;
  cpu[phase] += (cpuSeconds() - before) / rounds;
}

for (let round = 1; round <= rounds; round++) {
  const tasks = await Promise.all(
    names.map(async (name) => {
      for (;;) {
        const { body } = await ask(name, "GET", "/v1/rounds/current?wait=20");
        const task = JSON.parse(Buffer.concat(body).toString()) as { task: string; network: string };
        if (task.task === "train") return task;
      }
    }),
  );
  await measure("download", () =>
    Promise.all(names.map((name, i) => ask(name, "GET", `/v1/models/${tasks[i]?.network}`))),
  );
  await measure("round", () => sendAll(round, tasks[0]?.network));
}
console.log(
  JSON.stringify({
    ...{ clients: count, mb: network.length / 1e6, rounds },
    seconds: { plain: plain.seconds, ...(synced && { synced: synced.seconds }), ...seconds },
    roundPerPlain: seconds.round / plain.seconds,
    ...(synced && { roundPerSynced: seconds.round / synced.seconds }),
    cpuSeconds: { plain: plain.cpu, ...cpu },
    serverMb: { started, most: status("VmHWM") },
  }),
);
child.kill("SIGKILL");
await once(child, "exit");
agent.destroy();
rmSync(folder, { recursive: true });
