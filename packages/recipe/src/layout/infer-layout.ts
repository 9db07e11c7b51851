import type { Checkpoint } from "@isthmus/core";

/** Layers of a network that follow each other, numbered from 0. */
export interface LayerRun {
  /** Text before the number, such as `model.layers.`. */
  readonly prefix: string;
  /** Number of layers in the run. */
  readonly count: number;
}

/** Place of a tensor in a run of layers. */
export interface LayerPlace {
  /** Run that the layer belongs to. */
  readonly run: LayerRun;
  /** Number of the layer, from 0. */
  readonly layer: number;
  /** Text after the number, such as `.mlp.up_proj.weight`. */
  readonly rest: string;
}

/** Layout of the names of a network's tensors. */
export interface Layout {
  /** Runs of layers that the names show. */
  readonly runs: readonly LayerRun[];
  /** Finds the layer of a tensor; undefined if the tensor is in no layer. */
  placeOf(name: string): LayerPlace | undefined;
  /** Lists the text after the number in the names of a layer's tensors, in the order of the tensors. */
  restsOf(run: LayerRun, layer: number): readonly string[];
}

/**
 * Last words of prefixes before the numbers of layers, by which a network of a single layer is recognised.
 */
const LAYER_WORDS = /(^|[./])(layers?|h|blocks?|blk)[./]$/;

/** Checks whether the name of a run is one that programs give to layers only, not to other lists. */
export function isNamedLayers({ prefix }: LayerRun): boolean {
  return LAYER_WORDS.test(prefix);
}

/**
 * Infers the runs of layers of a network from the names of its tensors: the outermost numbers that begin at 0
 * and have no gaps. Experts inside layers are therefore not layers, and each tower has its own run.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createCheckpoint, createTensor } from "@isthmus/core";
 * import { inferLayout } from "@isthmus/recipe";
 *
 * const names = ["embed.weight", "layers.0.experts.0.w", "layers.0.experts.1.w", "layers.1.mixer.w"];
 * const tensor = createTensor("f32", [1], Float32Array.of(0));
 * const { runs, placeOf } = inferLayout(createCheckpoint(new Map(names.map((name) => [name, tensor]))));
 * assert.deepEqual(runs, [{ prefix: "layers.", count: 2 }]);
 * assert.equal(placeOf("layers.1.mixer.w")?.rest, ".mixer.w");
 * ```
 */
export function inferLayout({ tensors }: Pick<Checkpoint, "tensors">): Layout {
  const numbers = new Map<string, Set<number>>();
  for (const name of tensors.keys())
    for (const { prefix, layer } of splitName(name)) {
      const layers = numbers.get(prefix) ?? new Set();
      numbers.set(prefix, layers.add(layer));
    }
  const runs = new Map<string, LayerRun>();
  for (const [prefix, layers] of numbers) {
    const count = layers.size;
    const hasGaps = Math.max(...layers) !== count - 1;
    if (!hasGaps && (count > 1 || LAYER_WORDS.test(prefix))) runs.set(prefix, { prefix, count });
  }
  const places = new Map<string, LayerPlace>();
  const rests = new Map<LayerRun, Map<number, string[]>>();
  for (const name of tensors.keys()) {
    const place = placeIn(runs, name);
    if (place === undefined) continue;
    places.set(name, place);
    const { run, layer, rest } = place;
    const layers = rests.get(run) ?? new Map<number, string[]>();
    const inLayer = layers.get(layer) ?? [];
    inLayer.push(rest);
    rests.set(run, layers.set(layer, inLayer));
  }
  return {
    runs: [...rests.keys()],
    placeOf: (name) => places.get(name),
    restsOf: (run, layer) => rests.get(run)?.get(layer) ?? [],
  };
}

/** Finds the outermost number of a name that numbers the layers of a run. */
function placeIn(runs: ReadonlyMap<string, LayerRun>, name: string): LayerPlace | undefined {
  for (const { prefix, layer, rest } of splitName(name)) {
    const run = runs.get(prefix);
    if (run !== undefined) return { run, layer, rest };
  }
  return undefined;
}

interface NumberedName {
  readonly prefix: string;
  readonly layer: number;
  readonly rest: string;
}

/** Splits a name at each of its numbers, the outermost first. */
function splitName(name: string): readonly NumberedName[] {
  return [...name.matchAll(/(?<=^|[./])\d+(?=[./])/g)].map(({ index, 0: digits }) => ({
    prefix: name.slice(0, index),
    layer: Number(digits),
    rest: name.slice(index + digits.length),
  }));
}
