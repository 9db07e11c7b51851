/**
 * Times merges of matrices on layers of a Llama, and the extraction of an adapter.
 *
 *   npx tsx --conditions=@isthmus/source packages/merging/bench/matrix-methods.bench.ts [--methods iso_c,tsv_m]
 *     [--layers 1] [--of 16] [--width 2048] [--hidden 8192] [--groups 512] [--networks 3] [--extract 4096] [--rank 16] [--iterations 0]
 *
 * Standard output: one JSON object a line, with wall and processor seconds, and what `--of` layers would take. Weights are
 * random; the time does not depend on them. `load` is the machine's load, as other processes slow the wall clock down.
 */
import { loadavg } from "node:os";
import { parseArgs } from "node:util";
import {
  type Checkpoint,
  createRandom,
  defineCheckpoint,
  fromFloat32Into,
  sizeOf,
  type TensorInfo,
} from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { createProducts, plainProducts } from "@isthmus/linear-algebra";
import { extractAdapter, MERGE_METHODS, merge } from "@isthmus/merging";

const { values } = parseArgs({
  options: {
    methods: { type: "string", default: "iso_c,tsv_m" },
    layers: { type: "string", default: "1" },
    of: { type: "string", default: "16" },
    width: { type: "string", default: "2048" },
    hidden: { type: "string", default: "8192" },
    groups: { type: "string", default: "512" },
    networks: { type: "string", default: "3" },
    extract: { type: "string", default: "4096" },
    rank: { type: "string", default: "16" },
    iterations: { type: "string", default: "0" },
  },
});
const [layers, of, width, hidden, groups] = [
  values.layers,
  values.of,
  values.width,
  values.hidden,
  values.groups,
].map(Number) as [number, number, number, number, number];

const shapes: Readonly<Record<string, readonly number[]>> = {
  "self_attn.q_proj": [width, width],
  "self_attn.k_proj": [groups, width],
  "self_attn.v_proj": [groups, width],
  "self_attn.o_proj": [width, width],
  "mlp.gate_proj": [hidden, width],
  "mlp.up_proj": [hidden, width],
  "mlp.down_proj": [width, hidden],
  input_layernorm: [width],
};

/** Normal numbers that weights are drawn from, in an order of their own for each network. */
const TABLE = 1 << 16;
const table = new Float32Array(TABLE);
const random = createRandom(1);
for (let i = 0; i < TABLE; i++) table[i] = 0.02 * random.normal();

function randomNetwork(seed: number, tensors: ReadonlyMap<string, TensorInfo>): Checkpoint {
  return defineCheckpoint({
    source: `random ${seed}`,
    tensors,
    async readInto(_, begin, out) {
      const part = new Float32Array(out.length);
      let state = Math.imul(begin + 1, 0x9e3779b1) ^ seed;
      for (let i = 0; i < part.length; i++) {
        state = Math.imul(state, 1664525) + 1013904223;
        part[i] = table[state >>> 16]!;
      }
      fromFloat32Into(part, "bf16", out);
    },
  });
}

async function time(work: () => Promise<void>) {
  const start = performance.now();
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return {
    seconds: Number(((performance.now() - start) / 1000).toFixed(2)),
    processorSeconds: Number(((user + system) / 1e6).toFixed(2)),
    load: Number(loadavg()[0]!.toFixed(1)),
  };
}

const readAll = async (checkpoint: Checkpoint) => {
  for (const [name, { shape }] of checkpoint.tensors) {
    const size = sizeOf(shape);
    for (let begin = 0; begin < size; begin += 1 << 20) {
      await checkpoint.readRange(name, begin, Math.min(size, begin + (1 << 20)));
    }
  }
};

const products = createProducts(createOnnxRuntimeEngine());

for (const by of [products, plainProducts]) {
  const n = Number(values.extract);
  const tensors = new Map<string, TensorInfo>([["q.weight", { dtype: "bf16", shape: [n, n] }]]);
  const { adapter } = extractAdapter(randomNetwork(2, tensors), randomNetwork(1, tensors), {
    rank: Number(values.rank),
    products: by,
  });
  console.log(
    JSON.stringify({
      work: "extract",
      extent: n,
      rank: Number(values.rank),
      products: by.name,
      ...(await time(() => readAll(adapter.checkpoint))),
    }),
  );
}

const tensors = new Map<string, TensorInfo>();
for (let layer = 0; layer < layers; layer++) {
  for (const [name, shape] of Object.entries(shapes))
    tensors.set(`model.layers.${layer}.${name}.weight`, { dtype: "bf16", shape });
}
const base = randomNetwork(1, tensors);
const networks = Array.from({ length: Number(values.networks) }, (_, i) => randomNetwork(i + 2, tensors));
for (const name of values.methods.split(",")) {
  const method = MERGE_METHODS.get(name);
  if (method === undefined) throw new Error(`no method ${name}`);
  const parameters = name in { tsv_m: 0, iso_cts: 0 } ? { iterations: Number(values.iterations) } : {};
  const took = await time(() => readAll(merge(networks, { method, base, products, parameters })));
  const elements = [...tensors.values()].reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  const whole = {
    seconds: Math.round((took.seconds * of) / layers),
    processorSeconds: Math.round((took.processorSeconds * of) / layers),
  };
  console.log(
    JSON.stringify({
      work: name,
      ...parameters,
      networks: networks.length,
      layers,
      elements,
      ...took,
      ofLayers: of,
      whole,
    }),
  );
}
await products.release();
