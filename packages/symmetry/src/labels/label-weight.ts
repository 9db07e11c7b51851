import { at, DTYPES } from "@isthmus/core";
import type { Graph, Node, WeightInfo } from "@isthmus/graph";
import { compress } from "../primitives/move.ts";
import { defineFunction } from "./define-function.ts";
import { countPositions, type Field, freezeAll, type Labelled, spread } from "./field.ts";
import type { LabelStore } from "./label-store.ts";

/** The labels of one field of a weight, one for each position over its axes. */
export interface LabelledAxes {
  /** Axes of the view, ascending. */
  readonly axes: readonly number[];
  /** Label at each position, row-major over the extents of `axes`. */
  readonly labels: Int32Array;
}

/**
 * A weight with its labels: on the tensor that the graph reads, and on the axes along which the weight is
 * permuted.
 */
export interface LabelledWeight {
  /** Shape, element type and role of the weight. */
  readonly info: WeightInfo;
  /** Shape that `fields` refer to. */
  readonly view: readonly number[];
  /**
   * Labels by groups of axes along which the weight is permuted; empty for weights that are not floating
   * point.
   */
  readonly fields: readonly LabelledAxes[];
  /** Labels on the weight in the shape that the graph reads. */
  readonly tensor: Labelled;
  /** First axis that is an offset of a convolution's kernel; the rank if none is. */
  readonly firstKernelAxis: number;
}

/** Properties of a weight's use that decide how it is labelled. */
interface WeightUse {
  readonly groups: number;
  readonly transposed: boolean;
  readonly experts: boolean;
  readonly convolution: boolean;
  /** Groups of axes that share labels, if an operator needs other groups than single axes. */
  readonly fields?: readonly (readonly number[])[];
}

/** Finds the properties by which the nodes that read each weight use it. */
export function findWeightUses(graph: Graph): ReadonlyMap<string, WeightUse> {
  const uses = new Map<string, WeightUse>();
  const aliases = new Map<string, string>();
  for (const node of graph.nodes) {
    const [first = ""] = node.inputs;
    const alias = aliases.get(first) ?? (graph.weights.has(first) ? first : undefined);
    if (alias !== undefined && PASSES_ON.has(node.op)) aliases.set(at(node.outputs, 0, "output"), alias);
    node.inputs.forEach((input, i) => {
      const name = aliases.get(input) ?? input;
      const info = graph.weights.get(name);
      const use = info === undefined ? undefined : useOf(node, i, info);
      if (use !== undefined) uses.set(name, use);
    });
  }
  return uses;
}

/** Operators whose output still counts as the weight that they read. */
const PASSES_ON: ReadonlySet<string> = new Set(["Identity", "Cast", "CastLike", "Transpose", "Expand"]);

/**
 * Groups of axes that share labels, for the weights and states of a recurrent operator, by input: each
 * direction (the first axis) has separate units, but all directions read the same input.
 */
const RECURRENT_FIELDS: Readonly<Record<number, readonly (readonly number[])[]>> = {
  1: [[0, 1], [2]],
  2: [
    [0, 1],
    [0, 2],
  ],
  3: [[0, 1]],
  5: [[0, 2], [1]],
  6: [[0, 2], [1]],
  7: [[0, 1]],
};

const RECURRENT: ReadonlySet<string> = new Set(["RNN", "GRU", "LSTM"]);

function useOf({ op, attributes }: Node, input: number, { shape }: WeightInfo): WeightUse | undefined {
  const plain = { groups: 1, transposed: false, experts: false, convolution: false };
  if (RECURRENT.has(op)) {
    const fields = RECURRENT_FIELDS[input];
    if (fields === undefined) return undefined;
    const rank = 1 + Math.max(0, ...fields.flat());
    return rank === shape.length ? { ...plain, fields } : undefined;
  }
  if (op === "MatMul" && shape.length === 3 && at(shape, 0, "axis") > 1) {
    return { ...plain, experts: true };
  }
  if (input !== 1 || (op !== "Conv" && op !== "ConvTranspose")) return undefined;
  const group = attributes.get("group");
  const groups = group?.type === "int" ? group.value : 1;
  return { groups, transposed: op === "ConvTranspose", experts: false, convolution: true };
}

/**
 * Creates the labels of a weight: a fresh label for each index of each axis of extent > 1.
 *
 * In grouped convolutions, stacks of matrices and recurrent layers of two directions, each group has separate
 * units, so there the labels of one axis depend on another: one for each index in each group.
 */
export function labelWeight(
  store: LabelStore,
  name: string,
  info: WeightInfo,
  use: WeightUse | undefined,
): LabelledWeight {
  const { shape } = info;
  const firstKernelAxis = use?.convolution === true ? 2 : shape.length;
  if (!DTYPES[info.dtype].float) {
    return { info, view: shape, fields: [], tensor: freezeAll(shape), firstKernelAxis };
  }
  const label = (view: readonly number[], axes: readonly number[]): LabelledAxes[] => {
    const long = axes.filter((axis) => at(view, axis, "axis") > 1);
    return long.length === 0 ? [] : [{ axes: long, labels: store.create(countPositions(view, long), name) }];
  };
  if (use?.experts === true) {
    const fields = [[0], [0, 1], [0, 2]].flatMap((axes) => label(shape, axes));
    nestExperts(store, shape, fields);
    return { info, view: shape, fields, tensor: { shape, fields: fields.map(asField) }, firstKernelAxis };
  }
  if (use?.fields !== undefined) {
    const fields = use.fields.flatMap((axes) => label(shape, axes));
    return { info, view: shape, fields, tensor: { shape, fields: fields.map(asField) }, firstKernelAxis };
  }
  const [first = 1, second = 1, ...kernel] = shape;
  const groups = use?.groups ?? 1;
  if (groups > 1 && second > 1) {
    const view = [groups, first / groups, second, ...kernel];
    const outputs = label(view, [0, 1]);
    const inputs = label(view, [0, 2]);
    const offsets = kernel.flatMap((_, i) => label(view, [i + 3]));
    const fields = [...outputs, ...inputs, ...offsets];
    return { info, view, fields, tensor: flattenView(shape, view, fields), firstKernelAxis };
  }
  const fields = shape.flatMap((_, axis) => label(shape, [axis]));
  return { info, view: shape, fields, tensor: { shape, fields: fields.map(asField) }, firstKernelAxis };
}

function asField({ axes, labels }: LabelledAxes): Field {
  return { frozen: false, axes, data: labels };
}

/** Records that rows and columns of an expert determine the expert. */
function nestExperts(store: LabelStore, shape: readonly number[], fields: readonly LabelledAxes[]): void {
  const experts = fields[0];
  if (experts === undefined) return;
  for (const { axes, labels } of fields.slice(1)) {
    if (axes.length < 2) continue;
    defineFunction(store, labels, spread({ axes: experts.axes, data: experts.labels }, shape, axes));
  }
}

/** Converts fields over `[g, n/g, ...]` to fields over `[n, ...]`. */
function flattenView(
  shape: readonly number[],
  view: readonly number[],
  fields: readonly LabelledAxes[],
): Labelled {
  const flat = fields.map(({ axes, labels }): Field => {
    if (axes.every((axis) => axis > 1)) {
      return { frozen: false, axes: axes.map((axis) => axis - 1), data: labels };
    }
    const all = [...new Set([0, 1, ...axes])].sort((a, b) => a - b);
    const data = spread({ axes, data: labels }, view, all);
    const outer = all.flatMap((axis) => (axis === 0 ? [] : [axis - 1]));
    return compress({ frozen: false, axes: outer, data }, shape);
  });
  return { shape, fields: flat };
}
