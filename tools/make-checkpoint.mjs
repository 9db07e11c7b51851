// Writes a large checkpoint of random weights for benchmarks; the same arguments give the same bytes.
// node tools/make-checkpoint.mjs OUT.safetensors [--gb 2] [--tensors 200] [--dtype bf16] [--seed 1]
import { parseArgs } from "node:util";
import { allocateData, DTYPES, defineCheckpoint, fromFloat64Into, saveCheckpoint } from "@isthmus/core";

const TABLE = 65536;
const COLUMNS = 1024;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    gb: { type: "string", default: "2" },
    tensors: { type: "string", default: "200" },
    dtype: { type: "string", default: "bf16" },
    seed: { type: "string", default: "1" },
  },
});
const [path] = positionals;
const { dtype } = values;
if (path === undefined || !DTYPES[dtype]?.float) {
  console.error(
    "usage: node tools/make-checkpoint.mjs OUT.safetensors [--gb 2] [--tensors 200] [--dtype bf16] [--seed 1]",
  );
  process.exit(2);
}

/** Normal numbers of standard deviation 0.02, by the method of Box and Muller over a fixed grid. */
function normalTable() {
  const numbers = Float64Array.from({ length: TABLE }, (_, i) => {
    const u = ((i & 255) + 0.5) / 256;
    const v = ((i >> 8) + 0.5) / 256;
    return 0.02 * Math.sqrt(-2 * Math.log(u)) * Math.cos(2 * Math.PI * v);
  });
  return fromFloat64Into(numbers, dtype, allocateData(dtype, TABLE));
}

/** Three matrices for each vector, as in a transformer; together as many bytes as asked for. */
function planTensors() {
  const count = Number(values.tensors);
  const width = DTYPES[dtype].bytes;
  const matrices = count - Math.floor(count / 4);
  const rows = Math.round((Number(values.gb) * 1e9) / width / COLUMNS / matrices);
  return new Map(
    Array.from({ length: count }, (_, i) => {
      const layer = `layers.${i >> 2}`;
      return i % 4 === 3
        ? [`${layer}.norm.weight`, { dtype, shape: [COLUMNS] }]
        : [`${layer}.${["query", "up", "down"][i % 4]}.weight`, { dtype, shape: [rows, COLUMNS] }];
    }),
  );
}

/** A hash of a counter: Murmur's finalizer. */
function mix(value) {
  let h = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

const table = normalTable();
const tensors = planTensors();
const numbers = new Map([...tensors.keys()].map((name, i) => [name, mix(Number(values.seed) * 100_003 + i)]));

const checkpoint = defineCheckpoint({
  source: "random weights",
  tensors,
  async readInto(name, begin, out) {
    const start = numbers.get(name) + begin;
    for (let i = 0; i < out.length; i++) out[i] = table[mix((start + i) | 0) & (TABLE - 1)];
  },
});

const { bytes } = await saveCheckpoint(checkpoint, path, { overwrite: true });
console.log(`${path}: ${bytes} bytes in ${tensors.size} tensors`);
