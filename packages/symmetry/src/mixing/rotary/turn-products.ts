import { at, type Tensor } from "@isthmus/core";
import { countPositions, extentOf, type Field, type Labelled, sameAxes, spread } from "../../labels/field.ts";
import { alignRank } from "../../linear/factor-algebra.ts";
import type { Slices } from "./constant-slices.ts";
import { STILL } from "./place-table.ts";
import { demandProducts } from "./scalar-products.ts";
import type { TurnAlgebra } from "./turn-algebra.ts";

/** A tensor with codes, and the facts that a rule needs about it. */
export interface Operand {
  /** Shape of the tensor and the codes on its axes. */
  readonly tensor: Labelled;
  /** Name of the value. */
  readonly name: string;
  /** Numbers of the tensor, if they depend on neither input nor weights. */
  readonly constant: Tensor | undefined;
}

/** Way in which a tensor is multiplied: element by element, or before products are summed. */
type How = "times" | "over" | "summed with";

/** Multiplies two tensors element by element. */
export function multiply(
  algebra: TurnAlgebra,
  [a, b]: readonly [Operand, Operand],
  shape: readonly number[],
): Labelled {
  const product = new Product(algebra, shape, "times");
  return { shape, fields: [...product.fieldsOf(a, b), ...product.fieldsOf(b, a)] };
}

/** Divides a tensor by another, which must not change. */
export function divide(
  algebra: TurnAlgebra,
  [a, b]: readonly [Operand, Operand],
  shape: readonly number[],
): Labelled {
  algebra.fix(b.tensor);
  return { shape, fields: new Product(algebra, shape, "over").fieldsOf(a, b) };
}

/** Multiplies two tensors of equal rank and sums the products over an axis. */
export function contract(algebra: TurnAlgebra, [a, b]: readonly [Operand, Operand], axis: number): Labelled {
  const rank = Math.max(a.tensor.shape.length, b.tensor.shape.length);
  const align = ({ tensor }: Operand) => algebra.changing(alignRank(tensor, rank));
  const [left, right] = [align(a), align(b)];
  const shape = left.shape.map((extent, other) => Math.max(extent, extentOf(right, other)));
  const touching = ({ fields }: Labelled) => fields.filter(({ axes }) => axes.includes(axis));
  const [mine, yours] = [touching(left), touching(right)];
  const [one, two] = [mine[0], yours[0]];
  if (one !== undefined && two !== undefined && mine.length === 1 && yours.length === 1) {
    const axes = [...new Set([...one.axes, ...two.axes])].sort((x, y) => x - y);
    const inner = countPositions(shape, axes.slice(axes.indexOf(axis) + 1));
    const factors = [spread(one, shape, axes), spread(two, shape, axes)] as const;
    demandProducts(algebra, factors, { extent: extentOf({ shape }, axis), inner });
  } else {
    for (const field of [...mine, ...yours]) algebra.fixField(field);
  }
  const rest = ({ name }: Operand, { shape: extents, fields }: Labelled): Operand => ({
    name,
    constant: undefined,
    tensor: { shape: extents, fields: fields.filter(({ axes }) => !axes.includes(axis)) },
  });
  const product = new Product(algebra, shape, "summed with");
  const [first, second] = [rest(a, left), rest(b, right)];
  return {
    shape: shape.map((extent, other) => (other === axis ? 1 : extent)),
    fields: [...product.fieldsOf(first, second), ...product.fieldsOf(second, first)],
  };
}

/** A product of two tensors, each of which brings its fields. */
class Product {
  readonly #algebra: TurnAlgebra;
  readonly #shape: readonly number[];
  readonly #how: How;

  constructor(algebra: TurnAlgebra, shape: readonly number[], how: How) {
    this.#algebra = algebra;
    this.#shape = shape;
    this.#how = how;
  }

  /** Returns the fields of an operand after it is multiplied by another. */
  fieldsOf(operand: Operand, by: Operand): Field[] {
    const { fields } = this.#algebra.changing(alignRank(operand.tensor, this.#shape.length));
    const { shape } = alignRank(by.tensor, this.#shape.length);
    return fields.flatMap((field): Field[] => {
      if (by.constant !== undefined) {
        const slices = this.#algebra.slices.of(by.name, by.constant, this.#shape, field.axes);
        return [{ ...field, data: this.#timesSlices(field.data, slices) }];
      }
      const varying = field.axes.filter((axis) => extentOf({ shape }, axis) > 1);
      if (varying.length === 0) {
        return [{ ...field, data: this.#algebra.after(field.data, `${this.#how} ${by.name}`) }];
      }
      const table = this.#isTable(by, operand) ? this.#tableAlong(by.tensor, varying) : undefined;
      if (table !== undefined) {
        const slices = this.#slicesOf(spread(table, this.#shape, field.axes));
        return [{ ...field, data: this.#timesSlices(field.data, slices) }];
      }
      if (this.#isTable(operand, by)) this.#algebra.fixLater(field);
      else this.#algebra.fixField(field);
      return [];
    });
  }

  /** Checks whether an operand is a table of factors for the other, and not the other way round. */
  #isTable(operand: Operand, other: Operand): boolean {
    if (this.#how === "summed with") return false;
    const [one, two] = [this.#algebra.isMade(operand.tensor), this.#algebra.isMade(other.tensor)];
    if (one !== two) return one;
    return !this.#algebra.isActivation(operand.name) && this.#algebra.isActivation(other.name);
  }

  /**
   * Returns the one field that fully describes how a tensor varies along some axes; undefined if there is
   * none.
   */
  #tableAlong(tensor: Labelled, axes: readonly number[]): Field | undefined {
    const { fields } = alignRank(tensor, this.#shape.length);
    const [field, ...others] = fields.filter((one) => one.axes.some((axis) => axes.includes(axis)));
    if (field === undefined || others.length > 0 || !sameAxes(field.axes, axes)) return undefined;
    // The content of places without a code is unknown.
    if (field.data.includes(STILL)) return undefined;
    this.#algebra.fixLater(field);
    return field;
  }

  /** Numbers the factors of a table. */
  #slicesOf(codes: Int32Array): Slices {
    const { marks } = this.#algebra;
    const numbers = codes.map((code) => marks.numberOf(`table ${this.#algebra.describe(code)}`));
    return { numbers, negative: new Int32Array(codes.length), isPlain: new Map() };
  }

  /** Multiplies each place by its slice of a constant or a table. */
  #timesSlices(data: Int32Array, { numbers, negative, isPlain }: Slices): Int32Array {
    const { marks, places } = this.#algebra;
    const made = new Map<string, number>();
    return data.map((code, i) => {
      if (code === STILL) return STILL;
      const number = at(numbers, i, "slice");
      const key = `${code} ${number} ${negative[i]}`;
      const earlier = made.get(key);
      if (earlier !== undefined) return earlier;
      const factor = marks.numberOf(`${this.#how} ${number}`);
      const mark = places.markOf(code);
      const product = places.create({
        label: places.labelOf(code),
        phase: places.phaseOf(code) + 2 * at(negative, i, "sign"),
        mark: isPlain.get(number) ? marks.after(mark, factor) : marks.times(mark, factor),
      });
      made.set(key, product);
      return product;
    });
  }
}
