import { internTuples } from "../kernels/intern.ts";
import { defineFunction } from "../labels/define-function.ts";
import {
  connect,
  coordinate,
  countPositions,
  extentOf,
  type Field,
  internKeys,
  type Labelled,
  sameAxes,
  sameData,
  spread,
} from "../labels/field.ts";
import type { LabelStore } from "../labels/label-store.ts";
import { simplify } from "./simplify.ts";

/** Reason that is recorded if a label meets fixed values. */
export const MEETS_FIXED =
  "it meets an axis of fixed order there: of the input, of positions, or of a constant";

/**
 * Combines tensors element by element, as `Add` and `Mul` do, broadcasting.
 *
 * Labels that meet one-to-one must move together. A label that meets a coarser one determines it. A label
 * that meets fixed values is marked by them.
 *
 * @param keepCoarser - whether coarser free fields stay beside the finest, for a reduction that follows
 */
export function tie(store: LabelStore, inputs: readonly Labelled[], keepCoarser = false): Labelled {
  const shape = broadcastShape(inputs);
  const aligned = inputs.map((input) => alignRank(input, shape.length));
  const fields: Field[] = [];
  for (const { axes, parts } of connect(aligned)) {
    fields.push(...tieComponent(store, { shape, axes, parts, keepCoarser }));
  }
  return simplify(store, { shape, fields });
}

/** The fields of several tensors on the axes of one component. */
interface Meeting {
  readonly shape: readonly number[];
  readonly axes: readonly number[];
  readonly parts: readonly (readonly Field[])[];
  readonly keepCoarser: boolean;
}

function broadcastShape(inputs: readonly Labelled[]): number[] {
  const rank = Math.max(0, ...inputs.map(({ shape }) => shape.length));
  const extents = new Array<number>(rank).fill(1);
  for (const { shape } of inputs) {
    shape.forEach((extent, axis) => {
      if (extent !== 1) extents[axis + rank - shape.length] = extent;
    });
  }
  return extents;
}

/** Adds leading axes of extent 1. */
function alignRank(input: Labelled, rank: number): Labelled {
  const added = rank - input.shape.length;
  if (added === 0) return input;
  return {
    shape: [...new Array<number>(added).fill(1), ...input.shape],
    fields: input.fields.map((field) => ({ ...field, axes: field.axes.map((axis) => axis + added) })),
  };
}

function tieComponent(store: LabelStore, meeting: Meeting): readonly Field[] {
  const parts = meeting.parts.filter((part) => part.length > 0);
  const [only] = parts;
  if (only !== undefined && parts.length === 1) return only;
  const all = parts.flat();
  const free = all.filter((field) => !field.frozen);
  const frozen = all.filter((field) => field.frozen);
  if (free.length === 0) return frozen;
  uniteAlike(store, free);
  const container = parts.find((part) =>
    parts.every((other) => other === part || contains(store, part, other)),
  );
  if (container !== undefined) return container;
  if (frozen.length > 0 && tellApartAll(meeting, frozen)) {
    for (const { data } of free) store.freeze(data, MEETS_FIXED);
    return meeting.axes.map((axis) => coordinate(axis, extentOf(meeting, axis)));
  }
  return dominate(store, meeting, parts) ?? join(store, meeting, free, frozen);
}

/**
 * Makes the fields of one tensor determine the fields of all others, if it has a finer field for each of
 * these fields.
 *
 * This records as much as {@link join} without a label for every position: weights of experts,
 * `[e, in, out]`, meet inputs without an axis of experts.
 */
function dominate(
  store: LabelStore,
  { shape, keepCoarser }: Meeting,
  parts: readonly (readonly Field[])[],
): readonly Field[] | undefined {
  for (const part of parts) {
    const fine = part.filter((field) => !field.frozen && store.isInjective(field.data));
    const others = parts.filter((other) => other !== part).flat();
    const over = (field: Field): Field | undefined =>
      fine.find(({ axes }) => field.axes.every((axis) => axes.includes(axis)));
    if (!others.every((field) => over(field) !== undefined)) continue;
    for (const field of others) {
      const finer = over(field);
      if (finer !== undefined) subordinate(store, shape, finer, field);
    }
    return keepCoarser ? [...part, ...others.filter(({ frozen }) => !frozen)] : part;
  }
  return undefined;
}

/** Unites injective free fields that depend on exactly the same axes. */
function uniteAlike(store: LabelStore, free: readonly Field[]): void {
  const injective = free.filter(({ data }) => store.isInjective(data));
  injective.forEach((field, i) => {
    const earlier = injective.slice(0, i).find((other) => sameAxes(other.axes, field.axes));
    if (earlier !== undefined) store.unite(earlier.data, field.data);
  });
}

/** Checks whether two tensors have the same fields on some axes, by classes or values. */
export function alike(store: LabelStore, one: readonly Field[], other: readonly Field[]): boolean {
  return one.length === other.length && contains(store, one, other) && contains(store, other, one);
}

/** Checks whether every field of `other` is, by classes or values, a field of `part`. */
function contains(store: LabelStore, part: readonly Field[], other: readonly Field[]): boolean {
  return other.every((field) => part.some((candidate) => sameField(store, candidate, field)));
}

function sameField(store: LabelStore, a: Field, b: Field): boolean {
  if (a.frozen !== b.frozen || !sameAxes(a.axes, b.axes)) return false;
  if (sameData(a.data, b.data)) return true;
  if (a.frozen) return samePartition(a.data, b.data);
  // Equal classes are not enough if labels of one class differ in one field and are equal in the other.
  return sameData(store.classesOf(a.data), store.classesOf(b.data)) && samePartition(a.data, b.data);
}

function samePartition(a: Int32Array, b: Int32Array): boolean {
  return sameData(internTuples([a], a.length).ids, internTuples([b], b.length).ids);
}

/** Checks whether frozen fields give each position of a component a different key. */
function tellApartAll({ shape, axes }: Meeting, frozen: readonly Field[]): boolean {
  return internKeys(frozen, shape, axes).count === countPositions(shape, axes);
}

/** Records that a finer field determines a coarser or frozen one. */
export function subordinate(store: LabelStore, shape: readonly number[], finer: Field, field: Field): void {
  const data = spread(field, shape, finer.axes);
  if (field.frozen) store.mark(finer.data, data, MEETS_FIXED);
  else if (store.isInjective(data)) store.unite(finer.data, data);
  else defineFunction(store, finer.data, data);
}

/** Gives one label to each position of the component, which determines all labels at that position. */
function join(
  store: LabelStore,
  meeting: Meeting,
  free: readonly Field[],
  frozen: readonly Field[],
): Field[] {
  const { shape, axes, keepCoarser } = meeting;
  const arrays = free.map((field) => spread(field, shape, axes));
  const injective = arrays.map((data) => store.isInjective(data));
  const finest = arrays.find((_, i) => injective[i]) ?? store.create(countPositions(shape, axes));
  const rep: Field = { frozen: false, axes, data: finest };
  for (const field of [...free, ...frozen]) subordinate(store, shape, rep, field);
  const coarser = keepCoarser ? free.filter((_, i) => !injective[i]) : [];
  return [rep, ...coarser];
}
