import { at, type Tensor } from "@isthmus/core";
import { connect, countPositions, extentOf, type Field, type Labelled, spread } from "../../labels/field.ts";
import type { LabelStore } from "../../labels/label-store.ts";
import { alignRank } from "../../linear/factor-algebra.ts";
import type { WalkAlgebra } from "../../linear/rule.ts";
import { factorOf, ONE, SignedSets } from "../../linear/signed-sets.ts";
import { ConstantSlices } from "./constant-slices.ts";
import { Marks } from "./marks.ts";
import { type Phased, PhasedSets } from "./phased-sets.ts";
import { PlaceTable, STILL } from "./place-table.ts";

/** A tensor with codes, and what a rule needs to know of it. */
export interface Operand {
  readonly tensor: Labelled;
  /** Name of the value. */
  readonly name: string;
  /** Its numbers, if they depend on neither input nor weights. */
  readonly constant: Tensor | undefined;
}

/**
 * The rules by which complex numbers pass through tensors: two places of a tensor may hold the real and the
 * imaginary part of one number, which a symmetry multiplies by a number `z`.
 *
 * At first nothing is known of the labels of weights. A sum of two places that different constants multiply,
 * as rotary embeddings compute, makes a pair of them; a product that sums over both parts of two pairs, as
 * that of queries and keys does, demands that what multiplies one divides the conjugate of the other.
 * Conservative: what cannot be followed must not change.
 */
export class TurnAlgebra implements WalkAlgebra {
  node = "";
  readonly codes: number;
  readonly places: PlaceTable;
  readonly marks: Marks = new Marks();
  /** Which labels are parts of the same complex number. */
  readonly parts: PhasedSets;
  /** Which numbers are multiplied by the same `z`, or by the inverse of its conjugate. */
  readonly factors: SignedSets;
  readonly #slices = new ConstantSlices(this.marks);

  /** @param weightOf - name of the weight of each label */
  constructor(weightOf: readonly string[]) {
    const marks = new Map<string, number>();
    const markOf = Int32Array.from(weightOf, (name) => {
      const mark = marks.get(name) ?? this.marks.ofWeight(name);
      marks.set(name, mark);
      return mark;
    });
    this.places = new PlaceTable(markOf);
    this.codes = this.places.count;
    this.parts = new PhasedSets(markOf.length);
    this.factors = new SignedSets(markOf.length, false);
  }

  codeOf(label: number): number {
    return label + 1;
  }

  /** Returns the complex number that a place holds a part of, and which part. */
  partOf(code: number): Phased {
    const { root, phase } = this.parts.find(this.places.labelOf(code));
    return { root, phase: (phase + this.places.phaseOf(code)) & 3 };
  }

  /** Returns the factor that multiplies the number of a place; {@link ONE} if it must not change. */
  factorAt(code: number): number {
    return code === STILL ? ONE : this.factors.find(factorOf(this.places.labelOf(code)));
  }

  /** Demands that the number of a place does not change. */
  fixPlace(code: number): void {
    if (code !== STILL) this.factors.unite(factorOf(this.places.labelOf(code)), ONE);
  }

  #fixField({ data }: Field): void {
    for (const code of data) this.fixPlace(code);
  }

  fix(tensor: Labelled): Labelled {
    for (const field of tensor.fields) this.#fixField(field);
    return { shape: tensor.shape, fields: [] };
  }

  /** Leaves out the fields of which nothing may change any more. */
  changing({ shape, fields }: Labelled): Labelled {
    const changes = ({ data }: Field): boolean => data.some((code) => this.factorAt(code) !== ONE);
    return { shape, fields: fields.filter(changes) };
  }

  /** Turns every place by quarters. */
  turn(tensor: Labelled, quarters: number, store: LabelStore): Labelled {
    return this.#mapped(
      tensor,
      (data) => this.places.map(data, (place) => ({ ...place, phase: place.phase + quarters }), store),
    );
  }

  /** Adds an event to the history of every place of a field. */
  after(data: Int32Array, event: string, store: LabelStore): Int32Array {
    const number = this.marks.numberOf(event);
    const marks = new Map<number, number>();
    const markAfter = (mark: number): number => {
      const after = marks.get(mark) ?? this.marks.after(mark, number);
      marks.set(mark, after);
      return after;
    };
    return this.places.map(data, (place) => ({ ...place, mark: markAfter(place.mark) }), store);
  }

  #mapped({ shape, fields }: Labelled, change: (data: Int32Array) => Int32Array): Labelled {
    return { shape, fields: fields.map((field) => ({ ...field, data: change(field.data) })) };
  }

  /** Adds two tensors. */
  add([a, b]: readonly [Labelled, Labelled], shape: readonly number[], store: LabelStore): Labelled {
    const aligned = [a, b].map((tensor) => this.changing(alignRank(tensor, shape.length)));
    const fields = connect(aligned).flatMap(({ axes, parts }): Field[] => {
      if (parts.some((part) => part.length !== 1)) {
        for (const field of parts.flat()) this.#fixField(field);
        return [];
      }
      const [one, two] = [0, 1].map((k) => spread(at(at(parts, k, "part"), 0, "field"), shape, axes)) as [
        Int32Array,
        Int32Array,
      ];
      const sums = new Map<string, number>();
      const data = one.map((code, i) => {
        const other = two[i] as number;
        const key = `${code} ${other}`;
        const sum = sums.get(key) ?? this.#sum(code, other, store);
        sums.set(key, sum);
        return sum;
      });
      return [{ frozen: false, axes, data }];
    });
    return { shape, fields };
  }

  /** Adds the numbers of two places. */
  #sum(a: number, b: number, store: LabelStore): number {
    if (this.factorAt(a) === ONE || this.factorAt(b) === ONE) {
      this.fixPlace(a);
      this.fixPlace(b);
      return STILL;
    }
    const [markA, markB] = [this.places.markOf(a), this.places.markOf(b)];
    const [before, other] = [this.partOf(a), this.partOf(b)];
    if (before.root !== other.root) {
      const isTurn = this.marks.multiplierOf(markA) !== this.marks.multiplierOf(markB);
      const low = Math.min(before.root, other.root);
      // Of a pair the smaller label is the real part, the other, -i times it, the imaginary part.
      if (isTurn) this.#unite(low, before.root + other.root - low, 3);
      else this.#unite(before.root, other.root, before.phase - other.phase);
    }
    const [one, two] = [this.partOf(a), this.partOf(b)];
    const isFirst = markA <= markB;
    const turns = (isFirst ? two.phase - one.phase : one.phase - two.phase) & 3;
    const mark = isFirst ? this.marks.sum(markA, markB, turns) : this.marks.sum(markB, markA, turns);
    const first = isFirst ? a : b;
    return this.places.create(
      { label: this.places.labelOf(first), phase: this.places.phaseOf(first), mark },
      store,
    );
  }

  /** Demands that the number of label `b` is `i^turns` times that of label `a`. */
  #unite(a: number, b: number, turns: number): void {
    this.factors.unite(factorOf(a), factorOf(b));
    if (!this.parts.unite(a, b, turns)) this.factors.unite(factorOf(a), ONE);
  }

  /** Multiplies two tensors element by element, or divides the first by the second if `inverse`. */
  multiply(
    [a, b]: readonly [Operand, Operand],
    shape: readonly number[],
    store: LabelStore,
    inverse = false,
  ): Labelled {
    const left = this.#multiplied(a, b, shape, store, inverse ? "over" : "times");
    if (!inverse) return { shape, fields: [...left, ...this.#multiplied(b, a, shape, store, "times")] };
    this.fix(b.tensor);
    return { shape, fields: left };
  }

  #multiplied(
    { tensor }: Operand,
    by: Operand,
    shape: readonly number[],
    store: LabelStore,
    how: "times" | "over",
  ): Field[] {
    const { fields } = this.changing(alignRank(tensor, shape.length));
    const extents = alignRank(by.tensor, shape.length).shape;
    return fields.flatMap((field): Field[] => {
      if (by.constant !== undefined) {
        const { numbers, negative, isPlain } = this.#slices.of(by.name, by.constant, shape, field.axes);
        const whole = spread(field, shape, field.axes);
        const known = new Map<string, number>();
        const data = whole.map((code, i) => {
          if (code === STILL) return STILL;
          const number = numbers[i] as number;
          const key = `${code} ${number} ${negative[i]}`;
          const earlier = known.get(key);
          if (earlier !== undefined) return earlier;
          const factor = this.marks.numberOf(`${how} ${number}`);
          const mark = this.places.markOf(code);
          const made = this.places.create(
            {
              label: this.places.labelOf(code),
              phase: this.places.phaseOf(code) + 2 * (negative[i] as number),
              mark: isPlain.get(number) ? this.marks.after(mark, factor) : this.marks.times(mark, factor),
            },
            store,
          );
          known.set(key, made);
          return made;
        });
        return [{ ...field, data }];
      }
      if (field.axes.some((axis) => extentOf({ shape: extents }, axis) > 1)) {
        this.#fixField(field);
        return [];
      }
      return [{ ...field, data: this.after(field.data, `${how} ${by.name}`, store) }];
    });
  }

  /** Sums products of two tensors of equal rank over an axis. */
  contract([a, b]: readonly [Operand, Operand], axis: number, store: LabelStore): Labelled {
    const rank = Math.max(a.tensor.shape.length, b.tensor.shape.length);
    const [left, right] = [a, b].map(({ tensor }) => this.changing(alignRank(tensor, rank))) as [
      Labelled,
      Labelled,
    ];
    const shape = left.shape.map((extent, other) => Math.max(extent, extentOf(right, other)));
    const touching = ({ fields }: Labelled) => fields.filter(({ axes }) => axes.includes(axis));
    const [mine, yours] = [touching(left), touching(right)];
    const [one, two] = [mine[0], yours[0]];
    if (one !== undefined && two !== undefined && mine.length === 1 && yours.length === 1) {
      const axes = [...new Set([...one.axes, ...two.axes])].sort((x, y) => x - y);
      const inner = countPositions(shape, axes.slice(axes.indexOf(axis) + 1));
      this.#pair(spread(one, shape, axes), spread(two, shape, axes), extentOf({ shape }, axis), inner);
    } else {
      for (const field of [...mine, ...yours]) this.#fixField(field);
    }
    const rest = (operand: Operand, tensor: Labelled): Operand => ({
      ...{ name: operand.name, constant: undefined },
      tensor: { shape: tensor.shape, fields: tensor.fields.filter(({ axes }) => !axes.includes(axis)) },
    });
    const product = this.multiply([rest(a, left), rest(b, right)], shape, store);
    const summed = shape.map((extent, other) => (other === axis ? 1 : extent));
    return { shape: summed, fields: product.fields };
  }

  /** Pairs what lies along each line of `extent` places, `inner` apart. */
  #pair(left: Int32Array, right: Int32Array, extent: number, inner: number): void {
    for (let block = 0; block < left.length; block += extent * inner) {
      for (let first = block; first < block + inner; first++) {
        const line = new ScalarProducts(this);
        for (let k = 0; k < extent; k++) {
          const index = first + k * inner;
          line.add(left[index] as number, right[index] as number);
        }
        line.demand();
      }
    }
  }
}

/** The products of two places each that a sum has: of one complex number with one other. */
interface ScalarProduct {
  readonly one: Phased & { readonly mark: number };
  readonly two: Phased & { readonly mark: number };
  readonly codes: number[];
  real: number;
  imaginary: number;
  isWhole: boolean;
}

/** A sum of products of places, which must be made of whole scalar products of complex numbers. */
class ScalarProducts {
  readonly #algebra: TurnAlgebra;
  readonly #products = new Map<number, ScalarProduct>();

  constructor(algebra: TurnAlgebra) {
    this.#algebra = algebra;
  }

  add(left: number, right: number): void {
    const { places } = this.#algebra;
    if (this.#algebra.factorAt(left) === ONE || this.#algebra.factorAt(right) === ONE) {
      this.#algebra.fixPlace(left);
      this.#algebra.fixPlace(right);
      return;
    }
    const one = { ...this.#algebra.partOf(left), mark: places.markOf(left) };
    const two = { ...this.#algebra.partOf(right), mark: places.markOf(right) };
    const product = this.#products.get(one.root) ?? {
      ...{ one, two, codes: [], real: 0, imaginary: 0, isWhole: true },
    };
    this.#products.set(one.root, product);
    product.codes.push(left, right);
    if (((one.phase - product.one.phase) & 1) === 0) product.real++;
    else product.imaginary++;
    const isSame =
      two.root === product.two.root && one.mark === product.one.mark && two.mark === product.two.mark;
    const isParallel = ((two.phase - one.phase - product.two.phase + product.one.phase) & 3) === 0;
    if (!isSame || !isParallel) product.isWhole = false;
  }

  /** Demands what keeps the sum as it is. */
  demand(): void {
    const { factors } = this.#algebra;
    for (const { one, two, codes, real, imaginary, isWhole } of this.#products.values()) {
      if (isWhole && real === imaginary) {
        factors.unite(factorOf(one.root), factors.invert(factorOf(two.root)));
      } else {
        for (const code of codes) this.#algebra.fixPlace(code);
      }
    }
  }
}
