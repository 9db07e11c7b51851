// Aggregates LoRA adapters of one large weight, held in memory.
//
//   npx tsx --conditions=@isthmus/source packages/federated/bench/adapters.bench.ts [--size 4096] [--rank 16]
//     [--clients 10] [--rules fedavg,geometric-median,coordinate-median]
//
// For each rule prints one JSON line: seconds of processors, the least of three aggregations.

import { parseArgs } from "node:util";
import { createCheckpoint, createRandom, createTensor, entry } from "@isthmus/core";
import { AGGREGATION_RULES, aggregateUpdates } from "@isthmus/federated";

const { values: args } = parseArgs({
  options: {
    size: { type: "string", default: "4096" },
    rank: { type: "string", default: "16" },
    clients: { type: "string", default: "10" },
    rules: { type: "string", default: "fedavg,geometric-median,coordinate-median" },
  },
});
const [size, rank, clients] = [Number(args.size), Number(args.rank), Number(args.clients)];

function adapter(seed: number) {
  const random = createRandom(seed);
  const draw = (rows: number, columns: number) =>
    createTensor(
      "f32",
      [rows, columns],
      Float32Array.from({ length: rows * columns }, () => random.normal()),
    );
  return createCheckpoint({ "q.lora_A.weight": draw(rank, size), "q.lora_B.weight": draw(size, rank) });
}

const global = adapter(0);
const updates = Array.from({ length: clients }, (_, i) => ({
  client: `client ${i}`,
  examples: 1,
  network: adapter(i + 1),
}));
for (const rule of args.rules.split(",")) {
  const seconds: number[] = [];
  for (let run = 0; run < 3; run++) {
    const began = process.cpuUsage();
    await aggregateUpdates(global, updates, { rule: { of: entry(AGGREGATION_RULES, rule, "rule") } });
    seconds.push(process.cpuUsage(began).user / 1e6);
  }
  console.log(JSON.stringify({ rule, size, rank, clients, cpuSeconds: Math.min(...seconds) }));
}
