import { openCheckpoint } from "@isthmus/core";
import { openDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { readGraph } from "@isthmus/graph";

/** Options by which a benchmark names two networks and the examples they are tested on. */
export const PAIR_OPTIONS = {
  graph: { type: "string" },
  a: { type: "string" },
  b: { type: "string" },
  test: { type: "string" },
  mean: { type: "string" },
  std: { type: "string" },
  points: { type: "string", default: "11" },
  seed: { type: "string", default: "0" },
} as const;

type PairValues = { readonly [K in keyof typeof PAIR_OPTIONS]?: string };

/** Ends the process, saying how the benchmark is used. */
export function exitWith(usage: string): never {
  console.error(`usage: ${usage}`);
  process.exit(2);
}

/** Opens two networks, their graph, an engine and the examples; ends the process if one of them is not named. */
export async function openPair({ graph: path, a, b, test, mean, std }: PairValues, usage: string) {
  if (!path || !a || !b || !test) return exitWith(usage);
  const scaling = mean && std ? { mean: Number(mean), std: Number(std) } : undefined;
  const { graph } = await readGraph(path);
  return {
    graph,
    engine: createOnnxRuntimeEngine(),
    pair: [await openCheckpoint(a), await openCheckpoint(b)] as const,
    openScaled: (name: string) => openDataSet(name, { scaling }),
    data: await openDataSet(test, { scaling }),
  };
}
