import {
  type Checkpoint,
  createTensor,
  DTYPES,
  type DType,
  entry,
  type Tensor,
  type TensorInfo,
} from "@isthmus/core";
import type { MergePlan, PlannedTensor } from "@isthmus/merging";
import type { DenseModel } from "./dense-model.ts";
import { UNIT_PARTS, unitName } from "./dense-model.ts";
import { isOfMixture } from "./dense-traits.ts";
import { type ExpertRule, expertRule } from "./expert-method.ts";
import type { MixtureExtents, MixtureLayout } from "./mixture-layout.ts";
import { expertName, routerName, sharedGateName } from "./mixture-layout.ts";
import type { MixtureExpert } from "./mixture-recipe.ts";

/** An expert of a mixture: its entry in the recipe, its place there, and its model. */
export interface PlannedExpert {
  /** Entry of the expert in the recipe. */
  readonly recipe: MixtureExpert;
  /** Place of the entry, such as `moe.yml:4: experts[0]`. */
  readonly place: string;
  /** Model of the expert. */
  readonly model: DenseModel;
}

/** Layout, models and settings of a mixture. */
export interface MixtureParts {
  /** Form of the result. */
  readonly layout: MixtureLayout;
  /** Numbers of the result. */
  readonly extents: MixtureExtents;
  /** Experts of the router. */
  readonly experts: readonly PlannedExpert[];
  /** Shared expert; undefined if there is none. */
  readonly shared: PlannedExpert | undefined;
  /** Element type of the result; undefined for the types of the models. */
  readonly dtype: DType | undefined;
  /** Name of the mode of gates, for explanations. */
  readonly mode: string;
  /** Seed of noise. */
  readonly seed: number;
}

/**
 * Lists the tensors of a mixture that no model has: routers, gates, and zeros for biases and for the shared
 * expert of a layout that always has one.
 */
export function listMadeTensors({
  layout,
  extents,
  shared,
}: Pick<MixtureParts, "layout" | "extents" | "shared">): ReadonlyMap<string, TensorInfo> {
  const { base, experts, dense } = extents;
  const { layers, width } = base;
  const isEmpty = layout.shared === "gated" && shared === undefined;
  const made = new Map<string, TensorInfo>();
  for (let layer = 0; layer < layers; layer++) {
    for (const [name, shape] of zeroBiases(layout, base, layer)) made.set(name, { dtype: "f32", shape });
    if (layer < dense) continue;
    made.set(routerName(layout, layer), { dtype: "f32", shape: [experts, width] });
    if (layout.shared === "gated")
      made.set(sharedGateName(layout, layer), { dtype: "f32", shape: [1, width] });
    for (const [name, shape] of isEmpty ? zeroUnits(layout, extents, layer) : [])
      made.set(name, { dtype: "f32", shape });
  }
  return made;
}

/** Lists the matrices of a shared expert that adds nothing. */
function zeroUnits(
  layout: MixtureLayout,
  { base: { width }, sharedHidden }: MixtureExtents,
  layer: number,
): readonly (readonly [name: string, shape: readonly number[]])[] {
  return UNIT_PARTS.map((part) => [
    expertName(layout, { layer, expert: "shared", part }),
    part === "down_proj" ? [width, sharedHidden] : [sharedHidden, width],
  ]);
}

/** Lists the biases of queries, keys and values of a layer that a layout has, and the base has not. */
function zeroBiases(
  { hasInputBiases }: MixtureLayout,
  { traits, heads, groups, inner }: DenseModel,
  layer: number,
): readonly (readonly [name: string, shape: readonly number[]])[] {
  if (!hasInputBiases || traits.has("inputBiases")) return [];
  const counts = { q: heads, k: groups, v: groups };
  return Object.entries(counts).map(([part, count]) => [
    `model.layers.${layer}.self_attn.${part}_proj.bias`,
    [count * inner],
  ]);
}

/**
 * Puts gates in the tensors that {@link listMadeTensors} lists; the others are zeros.
 * @param gates - for each layer, rows of the experts and, if it is gated, of the shared expert
 */
export function fillMadeTensors(
  parts: MixtureParts,
  gates: readonly Float32Array[],
): ReadonlyMap<string, Tensor> {
  const { layout, extents, shared } = parts;
  const size = extents.experts * extents.base.width;
  const filled = new Map<string, Tensor>();
  for (const [name, { shape }] of listMadeTensors(parts))
    filled.set(name, createTensor("f32", shape, new Float32Array(shape.reduce((a, b) => a * b, 1))));
  for (const [layer, rows] of gates.entries()) {
    if (layer < extents.dense) continue;
    (entry(filled, routerName(layout, layer), "router").data as Float32Array).set(rows.subarray(0, size));
    if (layout.shared === "gated" && shared !== undefined)
      (entry(filled, sharedGateName(layout, layer), "gate").data as Float32Array).set(rows.subarray(size));
  }
  return filled;
}

/** A tensor of a result, and the tensor of a network that it is made of. */
interface MadeOf {
  readonly name: string;
  readonly network: Checkpoint;
  readonly tensor: string;
  readonly rule: ExpertRule;
  readonly reason: string;
}

const COPY: ExpertRule = { method: undefined, parameters: {} };

/**
 * Plans a mixture tensor by tensor.
 * @param made - checkpoint of the tensors of {@link listMadeTensors}
 */
export function planMixture(parts: MixtureParts, made: Checkpoint): MergePlan {
  const { extents, experts, shared, seed } = parts;
  const { checkpoint: base } = extents.base;
  const models = [...experts, ...(shared === undefined ? [] : [shared])].map(({ model }) => model);
  const others = new Set([...models.map(({ checkpoint }) => checkpoint), made]);
  others.delete(base);
  const networks = [base, ...others] as const;
  const tensors = new Map<string, PlannedTensor>();
  for (const { name, network, tensor, rule, reason } of [
    ...listBaseTensors(base, extents.dense),
    ...listExperts(parts),
    ...listMade(parts, made),
  ]) {
    const { dtype, shape } = entry(network.tensors, tensor, "tensor");
    const info = { dtype: DTYPES[dtype].float ? (parts.dtype ?? dtype) : dtype, shape };
    tensors.set(name, { info, sources: [{ network: networks.indexOf(network), tensor }], ...rule, reason });
  }
  const names = new Set([extents.base, ...models].map(({ name }) => name));
  return {
    source: `mixture(${[...names].join(", ")})`,
    networks: [base, ...others],
    tensors,
    metadata: { format: "pt" },
    seed,
  };
}

/**
 * Lists the tensors of the base that are copied: all outside its feed-forward networks, and the
 * feed-forward networks of the first layers, if these have no experts.
 */
function listBaseTensors(network: Checkpoint, dense: number): readonly MadeOf[] {
  const units = Array.from({ length: dense }, (_, layer) => UNIT_PARTS.map((part) => unitName(layer, part)));
  const unitNames = new Set(units.flat());
  const names = [...network.tensors.keys()].filter(
    (name) => isOfMixture(name) && (unitNames.has(name) || !name.includes(".mlp.")),
  );
  return names.map((name) => ({ name, network, tensor: name, rule: COPY, reason: "tensor of the base" }));
}

/** Lists the matrices of all experts, layer by layer. */
function listExperts({ layout, extents, experts, shared }: MixtureParts): readonly MadeOf[] {
  const all = [...experts.entries(), ...(shared === undefined ? [] : [["shared", shared] as const])];
  const { base, dense } = extents;
  return Array.from({ length: base.layers - dense }, (_, i) => i + dense).flatMap((layer) =>
    all.flatMap(([index, { recipe, place, model }]) =>
      UNIT_PARTS.map((part): MadeOf => {
        const factor = part === "down_proj" ? (recipe.residual_scale ?? 1) : 1;
        const name = expertName(layout, { layer, expert: index, part });
        return {
          name,
          network: model.checkpoint,
          tensor: unitName(layer, part),
          rule: expertRule(name, recipe.noise_scale ?? 0, factor),
          reason: `${part} of ${index === "shared" ? "the shared expert" : `expert ${index}`} (${place})`,
        };
      }),
    ),
  );
}

/** Lists the tensors that no model has. */
function listMade({ layout, extents, shared, mode }: MixtureParts, network: Checkpoint): readonly MadeOf[] {
  const { base, dense } = extents;
  const layers = Array.from({ length: base.layers - dense }, (_, i) => i + dense);
  const gates = new Set(layers.map((layer) => routerName(layout, layer)));
  if (shared !== undefined) for (const layer of layers) gates.add(sharedGateName(layout, layer));
  return [...network.tensors.keys()].map((name) => ({
    name,
    network,
    tensor: name,
    rule: COPY,
    reason: gates.has(name) ? `gates by the mode ${mode}` : `zeros, which the layout ${layout.name} asks for`,
  }));
}
