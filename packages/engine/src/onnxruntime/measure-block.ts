import { encodeGraph, type Graph } from "@isthmus/graph";
import type { Runtime } from "./runtime.ts";

/** A graph that converts 4 channels to blocked layout, which pads them to a whole block. */
const PROBE: Graph = {
  name: "block",
  opsets: new Map([
    ["", 17],
    ["com.microsoft.nchwc", 1],
  ]),
  inputs: [{ name: "x", dtype: "f32", shape: [1, 4, 1, 1] }],
  weights: new Map(),
  constants: new Map(),
  nodes: [
    {
      name: "reorder",
      op: "ReorderInput",
      domain: "com.microsoft.nchwc",
      inputs: ["x"],
      outputs: ["y"],
      attributes: new Map(),
    },
  ],
  outputs: [{ name: "y" }],
};

const measured = new WeakMap<Runtime, Promise<number>>();

/**
 * Measures the number of channels in a block of a build's blocked layout on this machine, 8 or 16; 0 if
 * it has no blocked layout.
 */
export function measureBlock(runtime: Runtime): Promise<number> {
  const block = measured.get(runtime) ?? runProbe(runtime).catch(() => 0);
  measured.set(runtime, block);
  return block;
}

async function runProbe(runtime: Runtime): Promise<number> {
  const session = await runtime.open(encodeGraph(PROBE), { threads: 1, optimize: true });
  try {
    const x = new runtime.Tensor("float32", Float32Array.of(1, 2, 3, 4), [1, 4, 1, 1]);
    const { y } = await session.run({ x }, { y: null });
    const [, block = 0] = y?.dims ?? [];
    // A build with other operators under these names would compute wrong results, so values are checked too.
    const isBlocked =
      block >= 4 &&
      Array.from(y?.data as Float32Array)
        .slice(0, 4)
        .join() === "1,2,3,4";
    return isBlocked ? block : 0;
  } finally {
    await session.release();
  }
}
