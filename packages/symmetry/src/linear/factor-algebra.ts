import { at } from "@isthmus/core";
import { connect, extentOf, type Field, type Labelled, sameAxes, sameData, spread } from "../labels/field.ts";
import { LabelStore } from "../labels/label-store.ts";
import { FOLLOWING } from "./label-units.ts";
import { factorOf, ONE, SignedSets, variableOf } from "./signed-sets.ts";

/**
 * Kinds of symmetries beyond permutation: units are multiplied by positive numbers, by signs, or cell by cell
 * by an orthogonal matrix.
 */
export const LINEAR_KINDS = ["scale", "sign", "rotation"] as const;

/** One of {@link LINEAR_KINDS}. */
export type LinearKind = (typeof LINEAR_KINDS)[number];

/**
 * Kinds of factors that a walk follows: the kinds of symmetries, and mixtures of a cell. For mixtures one
 * place may hold the inverse of another, so factors in front of a product differ from factors behind it.
 */
export type WalkKind = LinearKind | "mixture";

/**
 * The rules by which factors on tensors combine. A tensor is multiplied by the product of its fields'
 * factors; along axes without fields it does not change.
 *
 * It is conservative: a factor that cannot be followed is demanded to be 1.
 */
export class FactorAlgebra {
  readonly kind: WalkKind;
  readonly sets: SignedSets;
  readonly store: LabelStore = new LabelStore();
  /** Name of the node whose demands are recorded now. */
  node = "";
  /** Names of the nodes that demanded that some variable is 1, in order. */
  readonly #fixing: string[] = [];
  /** Position in `#fixing`, plus 1, of the node that fixed each variable first; 0 for none. */
  readonly #fixedBy: Int32Array;
  /** Cell in which the unit of each variable lies, {@link FOLLOWING}, or -1; used if rotations mix units. */
  readonly #cellOf: Int32Array;

  constructor(kind: WalkKind, cellOf: Int32Array) {
    this.kind = kind;
    this.#cellOf = cellOf;
    this.#fixedBy = new Int32Array(cellOf.length);
    this.store.create(factorOf(cellOf.length) + 2);
    this.sets = new SignedSets(cellOf.length, kind === "sign" || kind === "rotation");
  }

  /** Returns the number of variables, one for each label. */
  get variables(): number {
    return this.#cellOf.length;
  }

  /** Returns the factor of the variable of a label. */
  codeOf(label: number): number {
    return factorOf(label);
  }

  /** Whether a factor stands for a matrix that mixes the units of a cell. */
  get #mixesUnits(): boolean {
    return this.kind === "rotation" || this.kind === "mixture";
  }

  /** Returns the number of the cell that the unit of a factor is in, {@link FOLLOWING}, or -1. */
  cellOf(factor: number): number {
    return factor <= 1 ? -1 : (this.#cellOf[(factor >> 1) - 1] as number);
  }

  /** Demands that a tensor does not change. */
  fix(tensor: Labelled): Labelled {
    this.#fixFields(tensor.fields);
    return { shape: tensor.shape, fields: [] };
  }

  /**
   * Demands that the product of fields does not change: two fields on the same axes must undo each other,
   * such as the factors of a branch and of its scale, and others must be 1.
   */
  #fixFields(fields: readonly Field[]): void {
    const changing = fields.filter((field) => this.#changes(field));
    const [one, two, ...others] = changing;
    const isPair = one !== undefined && two !== undefined && others.length === 0 && !this.#mixesUnits;
    if (isPair && sameAxes(one.axes, two.axes) && one.data.length === two.data.length) {
      this.#unite(one.data, two.data, true);
      return;
    }
    for (const field of changing) this.#fixField(field);
  }

  /** Demands that nothing changes along some axes. */
  fixAlong({ shape, fields }: Labelled, axes: readonly number[]): Labelled {
    const touching = (field: Field): boolean => field.axes.some((axis) => axes.includes(axis));
    for (const field of fields) if (touching(field)) this.#fixField(field);
    return { shape, fields: fields.filter((field) => !touching(field)) };
  }

  #fixField({ data }: Field): void {
    if (this.#fixing.at(-1) !== this.node) this.#fixing.push(this.node);
    for (let i = 0; i < data.length; i++) {
      const factor = data[i] as number;
      // Fields repeat the factor of a unit along an axis.
      if (factor <= 1 || (i > 0 && factor === data[i - 1])) continue;
      const variable = variableOf(factor);
      if (this.#fixedBy[variable] === 0) this.#fixedBy[variable] = this.#fixing.length;
      this.sets.unite(factor, ONE);
    }
  }

  /** Returns the node that first demanded that a variable is 1, if one did. */
  fixedBy(variable: number): string | undefined {
    return this.#fixing[(this.#fixedBy[variable] as number) - 1];
  }

  /** Adds tensors, which must all be multiplied by equal factors. */
  add(tensors: readonly Labelled[], shape: readonly number[]): Labelled {
    const aligned = tensors.map((tensor) => this.changing(alignRank(tensor, shape.length)));
    const fields = connect(aligned).flatMap(({ axes, parts }): Field[] => {
      if (parts.some((part) => part.length !== 1)) {
        for (const part of parts) this.#fixFields(part);
        return [];
      }
      const arrays = parts.map((part) => spread(at(part, 0, "field"), shape, axes));
      const data = at(arrays, 0, "tensor");
      for (const other of arrays.slice(1)) this.#unite(data, other, false);
      return [{ frozen: false, axes, data }];
    });
    return { shape, fields };
  }

  #unite(a: Int32Array, b: Int32Array, inverse: boolean): void {
    for (let i = 0; i < a.length; i++) {
      const other = b[i] as number;
      this.sets.unite(a[i] as number, inverse ? this.sets.invert(other) : other);
    }
  }

  /** Multiplies two tensors element by element, or divides the first by the second if `inverse`. */
  multiply([a, b]: readonly [Labelled, Labelled], shape: readonly number[], inverse = false): Labelled {
    const left = this.#steady(alignRank(a, shape.length), alignRank(b, shape.length).shape);
    const steady = this.#steady(alignRank(b, shape.length), alignRank(a, shape.length).shape);
    // The reciprocal of a mixture is not a mixture of the reciprocals.
    const right = inverse && this.#mixesUnits ? this.fix(steady) : steady;
    const turned = right.fields.map((field) =>
      inverse ? { ...field, data: field.data.map((factor) => this.sets.invert(factor)) } : field,
    );
    return { shape, fields: this.#withoutSquares([...left.fields, ...turned]) };
  }

  /** Checks whether some factor of a field may be other than 1. */
  #changes({ data }: Field): boolean {
    return data.some((factor) => this.sets.find(factor) !== ONE);
  }

  /** Leaves out the fields whose factors were all demanded to be 1 before. */
  changing({ shape, fields }: Labelled): Labelled {
    return { shape, fields: fields.filter((field) => this.#changes(field)) };
  }

  /**
   * Fixes the fields whose units a rotation would mix although the other tensor multiplies them by different
   * numbers.
   */
  #steady(tensor: Labelled, other: readonly number[]): Labelled {
    if (!this.#mixesUnits) return tensor;
    const varying = tensor.shape.flatMap((_, axis) => (extentOf({ shape: other }, axis) > 1 ? [axis] : []));
    const mixed = tensor.fields.filter((field) => this.#mixedAlong(field, tensor.shape, varying));
    for (const field of mixed) this.#fixField(field);
    return { shape: tensor.shape, fields: tensor.fields.filter((field) => !mixed.includes(field)) };
  }

  /** Checks whether two places along one of the axes hold different units of one cell. */
  #mixedAlong(field: Field, shape: readonly number[], axes: readonly number[]): boolean {
    let inner = 1;
    for (const axis of [...field.axes].reverse()) {
      const extent = extentOf({ shape }, axis);
      if (axes.includes(axis) && this.#mixes(field.data, extent, inner)) return true;
      inner *= extent;
    }
    return false;
  }

  #mixes(data: Int32Array, extent: number, inner: number): boolean {
    for (let i = inner; i < data.length; i++) {
      if (Math.floor(i / inner) % extent === 0) continue;
      const [before, after] = [data[i - inner] as number, data[i] as number];
      if (before !== after && this.#mayShareCell(before, after)) return true;
    }
    return false;
  }

  /** Checks whether two units may be of one cell: a unit that follows others may be in the cell of any. */
  #mayShareCell(a: number, b: number): boolean {
    const [one, two] = [this.cellOf(a), this.cellOf(b)];
    return one === two || one === FOLLOWING || two === FOLLOWING;
  }

  /**
   * Drops fields that occur twice: two equal signs cancel, while two equal scales form a square, which is
   * fixed.
   */
  #withoutSquares(fields: readonly Field[]): Field[] {
    const product: Field[] = [];
    for (const field of fields) {
      const twin = product.findIndex((other) => sameAxes(other.axes, field.axes) && this.#same(other, field));
      if (twin < 0) {
        product.push(field);
        continue;
      }
      if (this.kind !== "sign") this.#fixField(field);
      product.splice(twin, 1);
    }
    return product;
  }

  #same(a: Field, b: Field): boolean {
    if (sameData(a.data, b.data)) return true;
    return a.data.every((factor, i) => this.sets.find(factor) === this.sets.find(b.data[i] as number));
  }

  /**
   * Sums products of two tensors over some axes, along which the factors of one tensor must undo the factors
   * of the other.
   */
  contract([a, b]: readonly [Labelled, Labelled], axes: readonly number[]): Labelled {
    const rank = Math.max(a.shape.length, b.shape.length);
    const [left, right] = [alignRank(a, rank), alignRank(b, rank)];
    const shape = left.shape.map((extent, axis) => Math.max(extent, extentOf(right, axis)));
    const touching = ({ fields }: Labelled): Field[] =>
      fields.filter((field) => field.axes.some((axis) => axes.includes(axis)) && this.#changes(field));
    const [mine, yours] = [touching(left), touching(right)];
    const [one] = mine;
    const [two] = yours;
    if (one !== undefined && two !== undefined && mine.length === 1 && yours.length === 1) {
      const all = [...new Set([...one.axes, ...two.axes])].sort((x, y) => x - y);
      this.#unite(spread(one, shape, all), spread(two, shape, all), true);
    } else {
      for (const field of [...mine, ...yours]) this.#fixField(field);
    }
    const rest = (tensor: Labelled): Labelled => ({
      shape: tensor.shape,
      fields: tensor.fields.filter((field) => !field.axes.some((axis) => axes.includes(axis))),
    });
    const product = this.multiply([rest(left), rest(right)], shape);
    return { shape: shape.map((extent, axis) => (axes.includes(axis) ? 1 : extent)), fields: product.fields };
  }
}

/** Adds leading axes of extent 1. */
export function alignRank(input: Labelled, rank: number): Labelled {
  const added = rank - input.shape.length;
  if (added <= 0) return input;
  return {
    shape: [...new Array<number>(added).fill(1), ...input.shape],
    fields: input.fields.map((field) => ({ ...field, axes: field.axes.map((axis) => axis + added) })),
  };
}
