import { type Checkpoint, entry, gatherInto, squaredNorm } from "@isthmus/core";
import type { Graph } from "@isthmus/graph";
import type { SymmetrySpec } from "@isthmus/symmetry";
import { alignmentObjective, type WeightPair } from "../coordinate-descent/alignment-objective.ts";
import type { CrossProducts } from "../coordinate-descent/cross-products.ts";
import { PanelCosts } from "../coordinate-descent/panel-costs.ts";
import type { NetworkPair } from "../out-of-core/stream-weights.ts";
import type { WeightTiles } from "../out-of-core/weight-tiles.ts";
import type { MatchedWeights } from "./matched-weights.ts";
import { readParameters } from "./read-parameters.ts";
import { scaleByNorms } from "./scale-by-norms.ts";

/**
 * Reads all weights that vote into memory.
 * @throws MismatchError if a checkpoint lacks a weight, or the shape of a weight differs
 * @throws InputError if a value is NaN or infinite; the weight is named
 */
export async function loadWeights(
  { a, b }: NetworkPair,
  spec: SymmetrySpec,
  { graph, products }: { readonly graph: Graph | undefined; readonly products: CrossProducts },
): Promise<MatchedWeights> {
  const raw = { a: await readParameters(a, spec), b: await readParameters(b, spec) };
  const scaled = graph === undefined ? raw : await scalePair(graph, { a, b }, raw);
  const normOf = (data: Float32Array) => Math.sqrt(squaredNorm({ dtype: "f32", data }));
  return {
    costsOf: (occurrences) => new PanelCosts(occurrences, scaled, products),
    objective: async (source, isScaled, only) =>
      alignmentObjective(spec, isScaled ? scaled : raw, source, only),
    norms: new Map(
      [...scaled.a].map(([name, values]) => [
        name,
        { a: normOf(values), b: normOf(entry(scaled.b, name, "weight")) },
      ]),
    ),
    tiles: { a: tilesOf(scaled.a), b: tilesOf(scaled.b) },
    tileElements: Number.POSITIVE_INFINITY,
    isScaled: scaled !== raw,
  };
}

/** Parts of weights that are in memory. */
function tilesOf(weights: ReadonlyMap<string, Float32Array>): WeightTiles {
  return {
    async read(tensor, _, { lead, rest }) {
      const count = rest.reduce((product, table) => product * table.length, lead.length);
      return gatherInto(entry(weights, tensor, "weight"), [lead, ...rest], new Float32Array(count));
    },
  };
}

async function scalePair(
  graph: Graph,
  checkpoints: { readonly a: Checkpoint; readonly b: Checkpoint },
  raw: WeightPair,
): Promise<WeightPair> {
  const a = await scaleByNorms(graph, checkpoints.a);
  // Which weights norms scale is the graph's to say, so both networks have the same or none.
  if (a.size === 0) return raw;
  const b = await scaleByNorms(graph, checkpoints.b);
  return { a: replace(raw.a, a), b: replace(raw.b, b) };
}

/** Replaces parameters by their scaled form, if they have one. */
function replace<T>(parameters: ReadonlyMap<string, T>, scaled: ReadonlyMap<string, T>): Map<string, T> {
  return new Map([...parameters].map(([name, raw]) => [name, scaled.get(name) ?? raw]));
}
