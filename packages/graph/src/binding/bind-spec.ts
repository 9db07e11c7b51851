import type { Checkpoint } from "@isthmus/core";
import type { WeightRole } from "../ir/graph.ts";
import { findAxes } from "../symmetry/find-axes.ts";
import type { FrozenAxis, SymmetrySpec, WeightField, WeightLayout } from "../symmetry/spec.ts";
import type { FoldedNorm, WeightBinding, WeightSource } from "./weight-binding.ts";

/**
 * Says a specification in the names and shapes of a checkpoint instead of the graph's, so that the checkpoint itself can be
 * permuted: transposed matrices with their axes exchanged, and each vector of a folded norm with its convolution's outputs.
 */
export function bindSpec(
  spec: SymmetrySpec,
  { binding, checkpoint }: { readonly binding: WeightBinding; readonly checkpoint: Checkpoint },
): SymmetrySpec {
  const { sources } = binding;
  const weights = new Map<string, WeightLayout>();
  const frozen: FrozenAxis[] = [];
  for (const [name, source] of sources) {
    const layout = spec.weights.get(name);
    if (layout === undefined) continue;
    for (const [tensor, bound] of layoutsOf(source, layout, checkpoint)) {
      if (!weights.has(tensor)) weights.set(tensor, bound);
    }
    const stuck = spec.frozen.filter(({ tensor }) => tensor === name);
    frozen.push(...stuck.flatMap((axis) => moveFrozen(axis, source, layout, checkpoint)));
  }
  const axes = findAxes(spec.symmetries, spec.followers, weights);
  const names = renameAll(
    spec.symmetries.map(({ name }) => name),
    binding,
  );
  const symmetries = spec.symmetries.map((symmetry, i) => ({
    ...symmetry,
    name: names[i] ?? symmetry.name,
    axes: axes[i] ?? [],
  }));
  return { ...spec, symmetries, weights, frozen };
}

/** Names made from weights that have other names in the checkpoint are made from those, unless that would make two alike. */
function renameAll(names: readonly string[], { sources, renamed }: WeightBinding): string[] {
  const made = names.map((name) => {
    const weight = renamed.find((candidate) => name === candidate || name.startsWith(`${candidate}.`));
    const tensor = weight === undefined ? undefined : sources.get(weight)?.tensor;
    if (weight === undefined || tensor === undefined) return name;
    return tensor.replace(/\.(weight|bias)$/, "") + name.slice(weight.length);
  });
  return new Set(made).size === made.length ? made : [...names];
}

type Named = readonly [string, WeightLayout];

function layoutsOf(source: WeightSource, layout: WeightLayout, checkpoint: Checkpoint): Named[] {
  if (source.kind === "tensor") return [[source.tensor, inShape(layout, shapeOf(source.tensor, checkpoint))]];
  if (source.kind === "transposed") return [[source.tensor, transposed(layout)]];
  const vector = (name: string, role: WeightRole): Named => [name, alongOutputs(layout, role)];
  const { scale, variance, offset, mean }: FoldedNorm = source.norm;
  const own: Named[] = source.tensor === undefined ? [] : [[source.tensor, layout]];
  return [
    ...own,
    vector(scale, "parameter"),
    vector(offset, "parameter"),
    vector(mean, "statistic"),
    vector(variance, "statistic"),
  ];
}

function shapeOf(tensor: string, checkpoint: Checkpoint): readonly number[] {
  return checkpoint.tensors.get(tensor)?.shape ?? [];
}

/** Axis of another shape with the same extents but for those of 1, by axis of the first. */
function axesInShape(shape: readonly number[], other: readonly number[]): Map<number, number> {
  const from = shape.flatMap((extent, axis) => (extent > 1 ? [axis] : []));
  const to = other.flatMap((extent, axis) => (extent > 1 ? [axis] : []));
  return new Map(from.map((axis, i) => [axis, to[i] ?? 0]));
}

function inShape(layout: WeightLayout, shape: readonly number[]): WeightLayout {
  if (layout.shape.join() === shape.join()) return layout;
  // Elements of one axis of a view would need a view of the new shape: those are always kernels, which keep theirs.
  const moved = axesInShape(layout.shape, shape);
  const fields = layout.fields.map((field) => ({
    ...field,
    axes: field.axes.map((axis) => moved.get(axis) ?? 0),
  }));
  return { ...layout, shape, view: shape, fields };
}

function transposed({ shape, role, fields }: WeightLayout): WeightLayout {
  const turned = [...shape].reverse();
  return {
    shape: turned,
    view: turned,
    role,
    fields: fields.map((field) => ({ ...field, axes: field.axes.map((axis) => 1 - axis) })),
  };
}

/** A vector with an element for each output of a convolution's kernel `[O, ...]`, or for each element of its bias `[O]`. */
function alongOutputs({ shape, view, fields }: WeightLayout, role: WeightRole): WeightLayout {
  const outer = view.length === shape.length ? 1 : 2;
  const own = fields.filter(({ axes }: WeightField) => axes.every((axis) => axis < outer));
  return { shape: shape.slice(0, 1), view: view.slice(0, outer), role, fields: own };
}

function moveFrozen(
  frozen: FrozenAxis,
  source: WeightSource,
  { shape }: WeightLayout,
  checkpoint: Checkpoint,
): FrozenAxis[] {
  if (source.tensor === undefined) return [];
  if (source.kind === "transposed") return [{ ...frozen, tensor: source.tensor, axis: 1 - frozen.axis }];
  const axis = axesInShape(shape, shapeOf(source.tensor, checkpoint)).get(frozen.axis) ?? frozen.axis;
  return [{ ...frozen, tensor: source.tensor, axis }];
}
