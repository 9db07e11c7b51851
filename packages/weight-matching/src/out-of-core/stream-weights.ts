import {
  at,
  axisOffsets,
  type Checkpoint,
  innerProduct,
  sizeOf,
  squaredNorm,
  stridesOf,
} from "@isthmus/core";
import type { SymmetrySpec, WeightLayout } from "@isthmus/symmetry";
import { layoutComponents } from "@isthmus/symmetry/layout";
import { votes } from "../coordinate-descent/alignment-objective.ts";
import { type WeightPart, weightParts } from "../coordinate-descent/weight-parts.ts";
import type { MatchedWeights } from "../weights/matched-weights.ts";
import { assertFinite, assertVoter } from "../weights/read-parameters.ts";
import { StreamedCosts, type StreamTools } from "./streamed-costs.ts";
import type { TileTables, WeightTiles } from "./weight-tiles.ts";

/** Two networks of one specification. */
export interface NetworkPair {
  /** Network that stays in place, whose order of units is the goal. */
  readonly a: Checkpoint;
  /** Network whose units are permuted. */
  readonly b: Checkpoint;
}

/**
 * Prepares matching two networks without keeping their weights: reads all weights once, to check them and to
 * measure their norms.
 * @throws MismatchError if a checkpoint lacks a weight, or the shape of a weight differs
 * @throws InputError if a value is NaN or infinite; the weight is named
 */
export async function streamWeights(
  networks: NetworkPair,
  spec: SymmetrySpec,
  { isScaled, ...tools }: StreamTools & { readonly isScaled: boolean },
): Promise<MatchedWeights> {
  const voting = [...spec.weights].filter(([, layout]) => votes(layout));
  const norms = new Map<string, { a: number; b: number }>();
  const normOf = async (network: "a" | "b", name: string, layout: WeightLayout) => {
    assertVoter(networks[network], name, layout);
    let sum = 0;
    for await (const values of tilesOf(tools[network], name, layout)) {
      assertFinite(values, name, networks[network].source);
      sum += squaredNorm({ dtype: "f32", data: values });
    }
    return Math.sqrt(sum);
  };
  async function* tilesOf(tiles: WeightTiles, name: string, layout: WeightLayout) {
    for (const tables of slabs(stillParts(layout), tools.tileElements)) {
      tools.signal?.throwIfAborted();
      yield await tools.stopwatch.time("reading", () => tiles.read(name, layout, tables, true));
    }
  }
  for (const [name, layout] of voting) {
    norms.set(name, { a: await normOf("a", name, layout), b: await normOf("b", name, layout) });
  }
  return {
    costsOf: (occurrences) => new StreamedCosts(occurrences, tools),
    async objective(source, scaled, only) {
      let sum = 0;
      for (const [name, layout] of voting) {
        if (only?.has(name) !== false) sum += await innerProductOf(tools, [name, layout], { source, scaled });
      }
      return sum;
    },
    norms,
    tiles: tools,
    tileElements: tools.tileElements,
    isScaled,
  };
}

async function innerProductOf(
  { a, b, stopwatch, signal, tileElements }: StreamTools,
  [name, layout]: readonly [string, WeightLayout],
  { source, scaled }: { readonly source: Int32Array; readonly scaled: boolean },
): Promise<number> {
  const components = layoutComponents(layout);
  const moved = [...slabs(weightParts(layout, components, source), tileElements)];
  let sum = 0;
  let tile = 0;
  for (const tables of slabs(weightParts(layout, components, undefined), tileElements)) {
    signal?.throwIfAborted();
    const other = at(moved, tile++, "tile");
    const [left, right] = await stopwatch.time("reading", () =>
      Promise.all([a.read(name, layout, tables, scaled), b.read(name, layout, other, scaled)]),
    );
    sum += innerProduct(left, right);
  }
  return sum;
}

/** Lists the axes of a weight in their present order. */
function stillParts(layout: WeightLayout): Pick<WeightPart, "offsets">[] {
  const strides = stridesOf(layout.view);
  return layout.view.map((_, axis) => ({ offsets: axisOffsets(layout.view, strides, [axis]) }));
}

/** Cuts a whole weight into tiles along its first axis. */
function* slabs(parts: readonly Pick<WeightPart, "offsets">[], tileElements: number): Generator<TileTables> {
  const [lead = Int32Array.of(0), ...rest] = parts.map(({ offsets }) => offsets);
  const perLead = rest.reduce((product, table) => product * table.length, 1);
  const step = Math.max(1, Math.floor(tileElements / perLead));
  for (let from = 0; from < lead.length; from += step) {
    yield { lead: lead.subarray(from, from + step), rest };
  }
}

/** Counts the elements of one index of the first axis of the widest weight that votes. */
export function widestRow(spec: SymmetrySpec): number {
  let widest = 1;
  for (const layout of spec.weights.values()) {
    if (votes(layout)) widest = Math.max(widest, sizeOf(layout.view) / at(layout.view, 0, "axis"));
  }
  return widest;
}
