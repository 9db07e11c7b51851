import { at } from "@isthmus/core";
import { connect, type Field, type Labelled, spread } from "../../labels/field.ts";
import type { LabelStore } from "../../labels/label-store.ts";
import { alignRank } from "../../linear/factor-algebra.ts";
import type { WalkAlgebra } from "../../linear/rule.ts";
import { factorOf, ONE, SignedSets } from "../../linear/signed-sets.ts";
import { ConstantSlices, type Slices } from "./constant-slices.ts";
import { Marks } from "./marks.ts";
import { type Phased, PhasedSets } from "./phased-sets.ts";
import { type Place, PlaceTable, STILL } from "./place-table.ts";

/** Most labels that functions may make; further places of their results count as unknown. */
const MADE = 2 ** 16;

/**
 * The rules by which complex numbers pass through tensors: two places of a tensor may hold the real and the
 * imaginary part of one number, which a symmetry multiplies by a number `z`.
 *
 * At first nothing is known of the labels of weights. A sum of two places that different constants multiply,
 * as rotary embeddings compute, makes a pair of them. The product of queries and keys sums over both parts of
 * two pairs: there the number that multiplies one pair must divide the other by its conjugate. It is
 * conservative: places that cannot be followed must not change.
 */
export class TurnAlgebra implements WalkAlgebra {
  node = "";
  readonly places: PlaceTable;
  readonly marks: Marks = new Marks();
  /** Sets of labels that are parts of the same complex number. */
  readonly parts: PhasedSets;
  /** Sets of numbers that are multiplied by the same `z`, or by the inverse of its conjugate. */
  readonly factors: SignedSets;
  readonly slices: ConstantSlices = new ConstantSlices(this.marks);
  /** Whether a value depends on the input of the graph. */
  readonly isActivation: (name: string) => boolean;
  /** Number of labels of weights; labels of the results of functions come behind. */
  readonly #labels: number;
  readonly #made = new Map<string, number>();
  readonly #postponed: Field[] = [];

  /**
   * @param weightOf - name of the weight of each label
   * @param isActivation - whether a value depends on the input of the graph
   */
  constructor(weightOf: readonly string[], isActivation: (name: string) => boolean) {
    this.isActivation = isActivation;
    this.#labels = weightOf.length;
    const marks = new Map<string, number>();
    const markOf = Int32Array.from(weightOf, (name) => {
      const mark = marks.get(name) ?? this.marks.of(`weight ${name}`);
      marks.set(name, mark);
      return mark;
    });
    this.places = new PlaceTable(markOf);
    this.parts = new PhasedSets(markOf.length + MADE);
    this.factors = new SignedSets(markOf.length + MADE, false);
  }

  get store(): LabelStore {
    return this.places.store;
  }

  codeOf(label: number): number {
    return label + 1;
  }

  /** Returns the complex number of which a place holds a part, and the quarter turns that tell the part. */
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

  fixField({ data }: Field): void {
    for (const code of data) this.fixPlace(code);
  }

  /**
   * Demands that a field does not change, but follows it until the end of the walk, as tables of factors may
   * be made of it.
   */
  fixLater(field: Field): void {
    this.#postponed.push(field);
  }

  /** Makes the demands at the end of a walk that were put off until then. */
  finish(): void {
    for (const field of this.#postponed) this.fixField(field);
  }

  fix(tensor: Labelled): Labelled {
    for (const field of tensor.fields) this.fixField(field);
    return { shape: tensor.shape, fields: [] };
  }

  /** Leaves out the fields in which no place may change any more. */
  changing({ shape, fields }: Labelled): Labelled {
    const changes = ({ data }: Field): boolean => data.some((code) => this.factorAt(code) !== ONE);
    return { shape, fields: fields.filter(changes) };
  }

  /** Turns every place by quarters. */
  turn(tensor: Labelled, quarters: number): Labelled {
    const turned = (data: Int32Array) =>
      this.places.map(data, (place) => ({ ...place, phase: place.phase + quarters }));
    return {
      shape: tensor.shape,
      fields: tensor.fields.map((field) => ({ ...field, data: turned(field.data) })),
    };
  }

  /** Adds an event to the history of every place of a field. */
  after(data: Int32Array, event: string): Int32Array {
    const number = this.marks.numberOf(event);
    const marks = new Map<number, number>();
    const markAfter = (mark: number): number => {
      const after = marks.get(mark) ?? this.marks.after(mark, number);
      marks.set(mark, after);
      return after;
    };
    return this.places.map(data, (place) => ({ ...place, mark: markAfter(place.mark) }));
  }

  /**
   * Applies a function that is not linear to each element: neither the tensor nor the result may change, and
   * places of the result that hold equal values get the same label.
   */
  apply(name: string, tensor: Labelled): Labelled {
    const mark = this.marks.of(`function ${name}`);
    const made = (code: number): number =>
      code === STILL ? STILL : this.#make(`${name} ${this.describe(code)}`, { phase: 0, mark });
    const fields = tensor.fields.map((field) => ({ ...field, data: field.data.map(made) }));
    for (const field of [...tensor.fields, ...fields]) this.fixLater(field);
    return { shape: tensor.shape, fields };
  }

  /**
   * Makes places for values that are looked up in a constant table, whose equal slices, up to their sign,
   * hold the same values.
   *
   * @param where - description of the rows that are looked up
   */
  lookUp({ numbers, negative }: Slices, where: string): Int32Array {
    const mark = this.marks.of(`looked up ${where}`);
    return numbers.map((number, i) =>
      this.#make(`row ${number} ${where}`, { phase: 2 * at(negative, i, "sign"), mark }),
    );
  }

  /**
   * Makes a place with the label of its content, the same label for equal contents; unknown if there are too
   * many labels.
   */
  #make(key: string, place: Pick<Place, "phase" | "mark">): number {
    const label = this.#made.get(key) ?? this.#labels + this.#made.size;
    if (label >= this.#labels + MADE) return STILL;
    this.#made.set(key, label);
    return this.places.create({ label, ...place });
  }

  /** Checks whether all places of a tensor hold results of functions. */
  isMade({ fields }: Labelled): boolean {
    return fields.every(({ data }) => data.every((code) => this.places.labelOf(code) >= this.#labels));
  }

  /** Describes the content of a place: places with one description hold the same. */
  describe(code: number): string {
    return `${this.places.labelOf(code)} ${this.places.phaseOf(code)} ${this.places.markOf(code)}`;
  }

  /** Adds two tensors. */
  add([a, b]: readonly [Labelled, Labelled], shape: readonly number[]): Labelled {
    const aligned = [a, b].map((tensor) => this.changing(alignRank(tensor, shape.length)));
    const fields = connect(aligned).flatMap(({ axes, parts }): Field[] => {
      if (parts.some((part) => part.length !== 1)) {
        for (const field of parts.flat()) this.fixField(field);
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
        const sum = sums.get(key) ?? this.#sum(code, other);
        sums.set(key, sum);
        return sum;
      });
      return [{ frozen: false, axes, data }];
    });
    return { shape, fields };
  }

  /** Adds the numbers of two places. */
  #sum(a: number, b: number): number {
    if (this.factorAt(a) === ONE || this.factorAt(b) === ONE) {
      this.fixPlace(a);
      this.fixPlace(b);
      return STILL;
    }
    const [markA, markB] = [this.places.markOf(a), this.places.markOf(b)];
    const [before, other] = [this.partOf(a), this.partOf(b)];
    if (before.root !== other.root) {
      const isTurn = this.marks.multiplierOf(markA) !== this.marks.multiplierOf(markB);
      if (isTurn) this.pair(before.root, other.root);
      else this.#unite(before.root, other.root, before.phase - other.phase);
    }
    const [one, two] = [this.partOf(a), this.partOf(b)];
    const isFirst = markA <= markB;
    const turns = (isFirst ? two.phase - one.phase : one.phase - two.phase) & 3;
    const mark = isFirst ? this.marks.sum(markA, markB, turns) : this.marks.sum(markB, markA, turns);
    const first = isFirst ? a : b;
    return this.places.create({
      label: this.places.labelOf(first),
      phase: this.places.phaseOf(first),
      mark,
    });
  }

  /** Makes a pair of two numbers: the smaller label is the real part, the other the imaginary part. */
  pair(a: number, b: number): void {
    const low = Math.min(a, b);
    // The real part of -i W is the imaginary part of W.
    this.#unite(low, a + b - low, 3);
  }

  /** Demands that the number of label `b` is the number of label `a`, turned by quarters. */
  #unite(a: number, b: number, turns: number): void {
    this.factors.unite(factorOf(a), factorOf(b));
    if (!this.parts.unite(a, b, turns)) this.factors.unite(factorOf(a), ONE);
  }
}
