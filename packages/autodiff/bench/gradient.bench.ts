/**
 * Times convolutions and their gradients on onnxruntime, in GFLOP/s: forward, gradient for the
 * input, gradient for the kernel.
 *
 * npx tsx --conditions=@isthmus/source packages/autodiff/bench/gradient.bench.ts [--net
 * resnet20|fmnist-cnn|mobilenet] [--conv batch,in,extent,out,taps,stride,group]... [--batch 128] [--threads
 * 1]... [--rounds 15] [--forms]
 *
 * `--forms` times each form of the gradients that serves a shape, not only the one that is chosen for it.
 * Standard output: one JSON object for each shape, pass and number of threads. Standard error: a table.
 * GFLOP/s count two operations for each product that the convolution needs, whatever a form computes beyond.
 * `cpuGflops` divides by processor time, over all threads: on a machine that is busy with other work it is
 * the number to compare at one thread.
 */
import { parseArgs } from "node:util";
import { createRandom, createTensor, sizeOf, type Tensor } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { GraphBuilder, type Value } from "@isthmus/graph/builder";
import { inputGradient } from "../src/rules/convolution.ts";
import { type Convolution, convolve, convolveTransposed } from "../src/windows/convolution.ts";
import { KERNEL_FORMS, kernelGradient } from "../src/windows/kernel-gradient.ts";

const { values } = parseArgs({
  options: {
    net: { type: "string", multiple: true, default: [] },
    conv: { type: "string", multiple: true, default: [] },
    batch: { type: "string", default: "128" },
    threads: { type: "string", multiple: true, default: ["1"] },
    rounds: { type: "string", default: "15" },
    forms: { type: "boolean", default: false },
  },
});
const rounds = Number(values.rounds);

interface Shape {
  readonly batch: number;
  readonly in: number;
  readonly extent: number;
  readonly out: number;
  readonly taps: number;
  readonly stride: number;
  readonly group: number;
}

/** `in, extent, out, taps, stride, group` of each kind of convolution in a network. */
const NETS: Readonly<Record<string, readonly (readonly number[])[]>> = {
  resnet20: [
    [1, 28, 16, 3, 1, 1],
    [16, 28, 16, 3, 1, 1],
    [16, 28, 32, 3, 2, 1],
    [16, 28, 32, 1, 2, 1],
    [32, 14, 32, 3, 1, 1],
    [32, 14, 64, 3, 2, 1],
    [32, 14, 64, 1, 2, 1],
    [64, 7, 64, 3, 1, 1],
  ],
  "fmnist-cnn": [
    [1, 28, 32, 3, 1, 1],
    [32, 28, 32, 3, 1, 1],
    [32, 14, 64, 3, 1, 1],
    [64, 14, 64, 3, 1, 1],
    [64, 7, 128, 3, 1, 1],
  ],
  mobilenet: [
    [3, 112, 32, 3, 2, 1],
    [32, 56, 32, 3, 1, 32],
    [16, 56, 96, 1, 1, 1],
    [96, 56, 96, 3, 2, 96],
    [144, 28, 144, 3, 1, 144],
    [192, 14, 64, 1, 1, 1],
    [384, 14, 384, 3, 1, 384],
    [960, 7, 320, 1, 1, 1],
  ],
};

function shapesOf(): Shape[] {
  const nets = values.net.length + values.conv.length === 0 ? Object.keys(NETS) : values.net;
  const named = nets.flatMap((net) =>
    (NETS[net] ?? []).map((rest) => [net === "mobilenet" ? 16 : Number(values.batch), ...rest]),
  );
  const listed = values.conv.map((text) => text.split(",").map(Number));
  return [...named, ...listed].map(
    ([batch = 1, channels = 1, extent = 1, out = 1, taps = 1, stride = 1, group = 1]) => ({
      batch,
      in: channels,
      extent,
      out,
      taps,
      stride,
      group,
    }),
  );
}

/** Windows of a square convolution whose padding keeps extents at stride 1. */
function convolutionOf({ extent, taps, stride, group }: Shape): Convolution {
  const before = Math.floor(taps / 2);
  const count = Math.floor((extent + 2 * before - taps) / stride) + 1;
  const after = stride * (count - 1) + taps - extent - before;
  const axis = { extent, count, taps, stride, dilation: 1, before, after };
  return { axes: [axis, axis], group };
}

type Pass = (tensors: Readonly<Record<"x" | "kernel" | "g", Value>>, convolution: Convolution) => Value;

const PASSES: Readonly<Record<string, Pass>> = {
  forward: ({ x, kernel }, convolution) => convolve(x, kernel, convolution),
  input: ({ g, kernel }, convolution) => inputGradient(g, kernel, convolution),
  kernel: ({ x, g }, convolution) => kernelGradient(x, g, convolution),
};

function formsOf({ group }: Shape): Readonly<Record<string, Pass>> {
  const kernels = {
    "kernel: examples": KERNEL_FORMS.convolveExamples,
    "kernel: rows": KERNEL_FORMS.multiplyRows,
    ...(group === 1 && {
      "kernel: columns": KERNEL_FORMS.multiplyColumns,
      "kernel: positions": KERNEL_FORMS.multiplyPositions,
    }),
  };
  return {
    "input: transposed": ({ g, kernel }, convolution) => convolveTransposed(g, kernel, convolution),
    ...Object.fromEntries(
      Object.entries(kernels).map(([name, form]): [string, Pass] => [
        name,
        ({ x, g }, convolution) => form(x, g, convolution),
      ]),
    ),
  };
}

function random(shape: readonly number[], seed: number): Tensor {
  const source = createRandom(seed, "gradient.bench");
  return createTensor(
    "f32",
    shape,
    Float32Array.from({ length: sizeOf(shape) }, () => source.normal()),
  );
}

interface Timing {
  readonly medianMs: number;
  readonly p90Ms: number;
  readonly bestMs: number;
  readonly cpuMs: number;
  readonly nodes: number;
}

const engine = createOnnxRuntimeEngine();

async function time(shape: Shape, pass: Pass, threads: number): Promise<Timing> {
  const convolution = convolutionOf(shape);
  const { batch, extent, taps, out, group } = shape;
  const count = convolution.axes[0]!.count;
  const tensors = {
    x: random([batch, shape.in, extent, extent], 1),
    kernel: random([out, shape.in / group, taps, taps], 2),
    g: random([batch, out, count, count], 3),
  };
  const builder = new GraphBuilder("bench", 17);
  const inputs = {
    x: builder.input("x", tensors.x),
    kernel: builder.input("kernel", tensors.kernel),
    g: builder.input("g", tensors.g),
  };
  const graph = builder.build([pass(inputs, convolution)]);
  const session = await engine.load(graph, { threads });
  const feeds = new Map(Object.entries(tensors));
  // Results go to tensors that are there already, as in training.
  const results = await session.run(feeds);
  await session.run(feeds, results);
  const times: number[] = [];
  const cpuTimes: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const [begin, cpu] = [performance.now(), process.cpuUsage()];
    await session.run(feeds, results);
    times.push(performance.now() - begin);
    const used = process.cpuUsage(cpu);
    cpuTimes.push((used.user + used.system) / 1000);
  }
  await session.release();
  const at = (sorted: readonly number[], share: number) => sorted[Math.floor((sorted.length - 1) * share)]!;
  const sorted = times.toSorted((a, b) => a - b);
  return {
    medianMs: at(sorted, 0.5),
    p90Ms: at(sorted, 0.9),
    bestMs: at(sorted, 0),
    cpuMs: Math.min(...cpuTimes),
    nodes: graph.nodes.length,
  };
}

const nameOf = ({ batch, in: channels, extent, out, taps, stride, group }: Shape) =>
  `${batch}x${channels}x${extent}x${extent} ${taps}x${taps} to ${out}${stride > 1 ? ` /${stride}` : ""}${group > 1 ? ` g${group}` : ""}`;

console.error("GFLOP/s by processor time | by median time:");
for (const shape of shapesOf()) {
  const { batch, out, taps, group } = shape;
  const flop = 2 * batch * out * (shape.in / group) * (taps * convolutionOf(shape).axes[0]!.count) ** 2;
  for (const threads of values.threads.map(Number)) {
    const cells: string[] = [];
    for (const [name, pass] of Object.entries({ ...PASSES, ...(values.forms ? formsOf(shape) : {}) })) {
      const timing = await time(shape, pass, threads);
      const [gflops, cpuGflops] = [timing.medianMs, timing.cpuMs].map((ms) => flop / ms / 1e6) as [
        number,
        number,
      ];
      console.log(JSON.stringify({ ...shape, pass: name, threads, gflops, cpuGflops, ...timing }));
      cells.push(`${name} ${cpuGflops.toFixed(1)} | ${gflops.toFixed(1)}`);
    }
    console.error(`${nameOf(shape).padEnd(36)} ${threads} threads  ${cells.join("  ")}`);
  }
}
