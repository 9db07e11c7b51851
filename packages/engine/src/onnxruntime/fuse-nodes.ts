import type { Graph } from "@isthmus/graph";
import { fuseAttention } from "./fuse-attention.ts";
import { fuseGelu } from "./fuse-gelu.ts";
import { attentionGraph, geluGraph, runOnRandom } from "./fusion-trials.ts";
import type { Runtime } from "./runtime.ts";

/** A rewrite of several nodes to one operator that only onnxruntime has. */
interface Fusion {
  /** Rewrites a graph; returns the same object if there is nothing to rewrite. */
  readonly fuse: (graph: Graph) => Graph;
  /** Makes graphs that are rewritten, whose results tell whether a build has the operator. */
  readonly trials: () => readonly Graph[];
}

// Rows of the trials are longer than the vectors of any processor.
const FUSIONS: readonly Fusion[] = [
  {
    fuse: fuseAttention,
    trials: () => [attentionGraph({ examples: 2, length: 40, heads: 2, width: 24 })],
  },
  {
    fuse: fuseGelu,
    trials: () => [geluGraph([3, 40, 40], true), geluGraph([3, 40, 40], false)],
  },
];

/**
 * Rewrites nodes of a graph to faster operators of a build of onnxruntime, if it has these, and if they give
 * the bits of the nodes that they replace.
 */
export async function fuseNodes(runtime: Runtime, graph: Graph): Promise<Graph> {
  let rewritten = graph;
  for (const fusion of FUSIONS) {
    const fused = fusion.fuse(rewritten);
    if (fused !== rewritten && (await keepsBits(runtime, fusion))) rewritten = fused;
  }
  return rewritten;
}

const tried = new WeakMap<Runtime, Map<Fusion, Promise<boolean>>>();

/** Finds out, once for a build, whether a fusion runs there and keeps bits. */
function keepsBits(runtime: Runtime, fusion: Fusion): Promise<boolean> {
  const known = tried.get(runtime) ?? new Map<Fusion, Promise<boolean>>();
  tried.set(runtime, known);
  const keeps = known.get(fusion) ?? tryFusion(runtime, fusion).catch(() => false);
  known.set(fusion, keeps);
  return keeps;
}

async function tryFusion(runtime: Runtime, { fuse, trials }: Fusion): Promise<boolean> {
  for (const graph of trials()) {
    const plain = await runOnRandom(runtime, graph);
    const fused = await runOnRandom(runtime, fuse(graph));
    if (!plain.every((value, i) => value === fused[i])) return false;
  }
  return true;
}
