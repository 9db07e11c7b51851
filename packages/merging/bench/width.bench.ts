// Times methods on matrices at the width of a language model, each in a process of its own, and compares the
// memory that it takes with the estimate. Uses what is built, so build first.
//
//   npx tsx --conditions=@isthmus/source packages/merging/bench/width.bench.ts [--methods iso_c,tsv_m] [--threads 1]
//     [--memory 4GB] [--tensors q_proj,up_proj] [--of 16] [--width 2048] [--hidden 8192] [--groups 512] [--networks 3]
//     [--limit 600] [--folder /tmp/isthmus-bench-width] [--keep] [--built .]
//
// Standard output: one JSON object a line, with wall and processor seconds of the process, what `--of` such layers would take,
// and bytes: the most that the process took, and the estimate from before it began. Models are one layer of a Llama in bf16,
// made once from a seed: a random base, and networks that differ from it by matrices with falling singular values, 1 / i. A
// method that takes longer than the limit, in seconds, is stopped. `load` is the machine's load, as other processes slow the
// wall clock down. Products run on one thread, as threads that wait for each other count as busy. `--built` is the repository
// whose built packages are measured.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { loadavg } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import {
  allocateData,
  createCheckpoint,
  createRandom,
  createTensor,
  fromFloat32Into,
  saveCheckpoint,
  sizeOf,
  type Tensor,
} from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { createMatrix, createProducts, type Matrix } from "@isthmus/linear-algebra";

const { values } = parseArgs({
  options: {
    methods: { type: "string", default: "iso_c,iso_cts,tsv_m,svc,knots,wudi" },
    threads: { type: "string", default: "1" },
    memory: { type: "string", default: "4GB" },
    tensors: { type: "string", default: "q_proj,k_proj,v_proj,o_proj,gate_proj,up_proj,down_proj" },
    of: { type: "string", default: "16" },
    width: { type: "string", default: "2048" },
    hidden: { type: "string", default: "8192" },
    groups: { type: "string", default: "512" },
    networks: { type: "string", default: "3" },
    limit: { type: "string", default: "600" },
    folder: { type: "string", default: "/tmp/isthmus-bench-width" },
    keep: { type: "boolean", default: false },
    built: { type: "string", default: fileURLToPath(new URL("../../..", import.meta.url)) },
  },
});
const root = resolve(values.built);
const { folder } = values;
const count = Number(values.networks);
const [width, hidden, groups] = [values.width, values.hidden, values.groups].map(Number) as [
  number,
  number,
  number,
];

const SHAPES: Readonly<Record<string, readonly [number, number]>> = {
  q_proj: [width, width],
  k_proj: [groups, width],
  v_proj: [groups, width],
  o_proj: [width, width],
  gate_proj: [hidden, width],
  up_proj: [hidden, width],
  down_proj: [width, hidden],
};
const shapes = values.tensors.split(",").map((name) => {
  const shape = SHAPES[name];
  if (shape === undefined) throw new Error(`no tensor ${name}`);
  return [name, shape] as const;
});

/** Root mean square of the weights of the base, and of the differences. */
const [BASE, DIFFERENCE] = [0.02, 0.002];

/** Normal numbers that all matrices are drawn from. */
const table = (() => {
  const random = createRandom(1);
  return Float32Array.from({ length: 1 << 16 }, () => random.normal());
})();

function randomMatrix(rows: number, columns: number, seed: number): Matrix {
  const data = new Float32Array(rows * columns);
  let state = Math.imul(seed + 1, 0x9e3779b1);
  for (let i = 0; i < data.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    data[i] = table[state >>> 16] as number;
  }
  return createMatrix(rows, columns, data);
}

/** Makes the base and the networks, unless an earlier run kept them. */
async function makeModels(): Promise<string[]> {
  const names = ["base", ...Array.from({ length: count }, (_, i) => `network-${i}`)];
  const paths = names.map((name) => join(folder, `${name}.safetensors`));
  if (paths.every((path) => existsSync(path))) return paths;
  const products = createProducts(createOnnxRuntimeEngine());
  for (const [network, path] of paths.entries()) {
    const tensors = new Map<string, Tensor>();
    for (const [place, [name, [rows, columns]]] of shapes.entries()) {
      const weights = randomMatrix(rows, columns, place).data;
      for (let i = 0; i < weights.length; i++) weights[i] = BASE * (weights[i] as number);
      if (network > 0) {
        const inner = Math.min(rows, columns);
        const seed = 1000 * network + 10 * place;
        const left = randomMatrix(rows, inner, seed + 1);
        for (let i = 0; i < left.data.length; i++) {
          left.data[i] = (left.data[i] as number) / (1 + (i % inner));
        }
        const { data } = await products.multiply(left, randomMatrix(inner, columns, seed + 2));
        const size = Math.hypot(...Array.from({ length: inner }, (_, i) => 1 / (1 + i)));
        for (let i = 0; i < data.length; i++) {
          weights[i] = (weights[i] as number) + (DIFFERENCE / size) * (data[i] as number);
        }
      }
      const stored = fromFloat32Into(weights as Float32Array, "bf16", allocateData("bf16", weights.length));
      tensors.set(`model.layers.0.${name}.weight`, createTensor("bf16", [rows, columns], stored));
    }
    await saveCheckpoint(createCheckpoint(tensors), path, { overwrite: true });
  }
  await products.release();
  return paths;
}

const PROGRAM = `
import { describeFileMerge, openMergeProducts, openMergeSource, saveMerge } from "@isthmus/merging";
const { merge, path, options, products } = JSON.parse(process.argv[1]);
const source = { ...describeFileMerge(merge), products };
const { plan, close } = await openMergeSource(source);
const own = await openMergeProducts(products, 1);
let estimate;
const onStart = (made) => { estimate = made; };
const { seconds, peakBytes } = await saveMerge({ ...plan, products: own }, path, { ...options, source, onStart });
await own.release();
await close();
const { userCPUTime, systemCPUTime } = process.resourceUsage();
const processorSeconds = (userCPUTime + systemCPUTime) / 1e6;
console.log(JSON.stringify({ seconds, processorSeconds, peakBytes, estimate: estimate.peakBytes, threads: estimate.threads }));
`;

mkdirSync(folder, { recursive: true });
try {
  const [base, ...networks] = await makeModels();
  const elements = shapes.reduce((sum, [, shape]) => sum + sizeOf(shape), 0);
  for (const method of values.methods.split(",")) {
    const request = JSON.stringify({
      merge: { networks, base, method },
      path: join(folder, `merged-${process.pid}.safetensors`),
      options: {
        threads: Number(values.threads),
        memory: Number(values.memory.replace(/GB$/, "e9")),
        overwrite: true,
        resume: false,
      },
      products: pathToFileURL(join(root, "packages/engine/dist/products/open-products.js")).href,
    });
    // From the root, where the packages of the workspace resolve.
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ["--input-type=module", "-e", PROGRAM, request],
      { cwd: root, encoding: "utf8", timeout: 1000 * Number(values.limit), maxBuffer: 2 ** 24 },
    );
    const line = { method, networks: count, tensors: shapes.length, elements, load: loadavg()[0] };
    if (status !== 0) {
      const failure =
        stderr
          .trim()
          .split("\n")
          .find((text) => text.includes("Error")) ?? "stopped at the limit";
      console.log(JSON.stringify({ ...line, failure }));
      continue;
    }
    const run = JSON.parse(stdout);
    const whole = {
      seconds: Math.round(run.seconds * Number(values.of)),
      processorSeconds: Math.round(run.processorSeconds * Number(values.of)),
    };
    console.log(
      JSON.stringify({
        ...{ ...line, ...run, share: Number((run.peakBytes / run.estimate).toFixed(2)) },
        ...{ ofLayers: Number(values.of), whole },
      }),
    );
  }
} finally {
  if (!values.keep) rmSync(folder, { recursive: true, force: true });
}
