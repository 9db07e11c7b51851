// Aggregates the updates of many clients from disk, beside a plain copy of the same bytes.
//
//   npx tsx --conditions=@isthmus/source packages/federated/bench/aggregate.bench.ts [--clients 200] [--megabytes 50]
//     [--rules fedavg,coordinate-median] [--memory BYTES] [--folder FOLDER]
//
// Writes seeded updates into FOLDER (kept if they are there), then for each rule prints one JSON line: seconds of the
// aggregation and of processors for it, seconds of reading all bytes once and writing one network, and the largest resident memory. The files are
// in the page cache in both, if they fit.

import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { access, mkdir, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { createCheckpoint, createRandom, createTensor, openCheckpoint, saveCheckpoint } from "@isthmus/core";
import { AGGREGATION_RULES, saveAggregate } from "@isthmus/federated";

const { values: args } = parseArgs({
  options: {
    clients: { type: "string", default: "200" },
    megabytes: { type: "string", default: "50" },
    rules: { type: "string", default: "fedavg" },
    memory: { type: "string", default: String(16 * 2 ** 20) },
    folder: { type: "string", default: join(tmpdir(), "isthmus-aggregate") },
  },
});
const count = Number(args.clients);
const elements = Math.round((Number(args.megabytes) * 2 ** 20) / 4);
const pathOf = (client: number) => join(args.folder, `client-${client}.safetensors`);

await mkdir(args.folder, { recursive: true });
// One large layer and a small one, as networks have.
const sizes = [elements - 1000, 1000];
for (let client = -1; client < count; client++) {
  const isThere = await access(pathOf(client)).then(
    () => true,
    () => false,
  );
  if (isThere) continue;
  const random = createRandom(client + 1);
  // The same numbers in another order are as good as new ones, and faster to draw.
  const drawn = Float32Array.from({ length: 1 << 16 }, () => random.normal());
  const tensors = sizes.map((size, i) => {
    const data = Float32Array.from({ length: size }, (_, k) => drawn[(k * 31 + client) & 0xffff] as number);
    return [`layer${i}.weight`, createTensor("f32", [size], data)] as const;
  });
  await saveCheckpoint(createCheckpoint(new Map(tensors)), pathOf(client));
}

/** Reads all files once and writes one of them, in chunks of a megabyte. */
async function copyPlainly(): Promise<number> {
  const started = performance.now();
  const chunk = Buffer.allocUnsafe(2 ** 20);
  const out = createWriteStream(join(args.folder, "copy"));
  for (let client = 0; client < count; client++) {
    const file = await open(pathOf(client));
    for (;;) {
      const { bytesRead } = await file.read(chunk, 0, chunk.length, null);
      if (bytesRead === 0) break;
      if (client === 0 && !out.write(Buffer.from(chunk.subarray(0, bytesRead)))) await once(out, "drain");
    }
    await file.close();
  }
  out.end();
  await once(out, "close");
  return (performance.now() - started) / 1000;
}

for (const name of args.rules.split(",")) {
  const rule = AGGREGATION_RULES.get(name);
  if (rule === undefined) throw new Error(`no rule ${name}`);
  const plain = await copyPlainly();
  const network = await openCheckpoint(pathOf(-1));
  const networks = await Promise.all(Array.from({ length: count }, (_, i) => openCheckpoint(pathOf(i))));
  const updates = networks.map((one, i) => ({ client: `client-${i}`, examples: 1 + i, network: one }));
  const files = {
    network: join(args.folder, "next.safetensors"),
    state: join(args.folder, "state.safetensors"),
  };
  const [started, cpu] = [performance.now(), process.cpuUsage()];
  await saveAggregate(network, updates, files, { rule: { of: rule }, memory: Number(args.memory) });
  const seconds = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  for (const one of [network, ...networks]) await one.close();
  const peak = process.resourceUsage().maxRSS / 1024;
  console.log(
    JSON.stringify({
      rule: name,
      clients: count,
      megabytes: Number(args.megabytes),
      seconds,
      cpuSeconds: (user + system) / 1e6,
      plain,
      peakMegabytes: peak,
    }),
  );
}
for (const name of ["copy", "next.safetensors"]) await rm(join(args.folder, name), { force: true });
