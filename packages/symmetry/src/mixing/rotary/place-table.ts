import { LabelStore } from "../../labels/label-store.ts";

/** Code of a place that does not change. */
export const STILL = 0;

/**
 * Content of a place of a tensor: `Re(i^phase W m)`, where `W` is the complex number of a label of a weight,
 * and the mark identifies `m`, the factors and moves between the weight and the place.
 */
export interface Place {
  /** Label of the weight whose complex number `W` is. */
  readonly label: number;
  /** Quarter turns in `[0, 3]`: the power of `i`. */
  readonly phase: number;
  /** Number of the mark that identifies `m`. */
  readonly mark: number;
}

/** Fewest labels that are created at once for new codes. */
const SPARE = 1024;

/** Codes that tensors can carry like labels, and the place that each code stands for. */
export class PlaceTable {
  /** Number of codes so far. */
  count: number;
  /** Store that holds codes as labels, for rules that move labels. */
  readonly store: LabelStore = new LabelStore();
  #labels: Int32Array;
  #phases: Uint8Array;
  #marks: Int32Array;
  #memo: Int32Array;
  #round: Int32Array;
  #rounds = 0;

  /** @param markOf - mark of the weight of each label; label `v` has the code `v + 1` */
  constructor(markOf: Int32Array) {
    this.count = markOf.length + 1;
    this.store.create(this.count);
    this.#labels = Int32Array.from({ length: this.count }, (_, code) => code - 1);
    this.#phases = new Uint8Array(this.count);
    this.#marks = new Int32Array(this.count);
    this.#marks.set(markOf, 1);
    this.#memo = new Int32Array(this.count);
    this.#round = new Int32Array(this.count);
  }

  labelOf(code: number): number {
    return this.#labels[code] as number;
  }

  phaseOf(code: number): number {
    return this.#phases[code] as number;
  }

  markOf(code: number): number {
    return this.#marks[code] as number;
  }

  /** Creates a code; equal places may have several. */
  create({ label, phase, mark }: Place): number {
    const code = this.count++;
    if (code >= this.#labels.length) this.#grow();
    // Rules that move labels also move codes, and look them up in the store.
    if (code >= this.store.count) this.store.create(Math.max(SPARE, this.store.count >> 2));
    this.#labels[code] = label;
    this.#phases[code] = phase & 3;
    this.#marks[code] = mark;
    return code;
  }

  #grow(): void {
    const capacity = 2 * this.#labels.length;
    const wider = <T extends Int32Array | Uint8Array>(old: T, made: T): T => {
      made.set(old);
      return made;
    };
    this.#labels = wider(this.#labels, new Int32Array(capacity));
    this.#phases = wider(this.#phases, new Uint8Array(capacity));
    this.#marks = wider(this.#marks, new Int32Array(capacity));
    this.#memo = wider(this.#memo, new Int32Array(capacity));
    this.#round = wider(this.#round, new Int32Array(capacity));
  }

  /** Replaces each code; equal codes stay equal. */
  map(codes: Int32Array, change: (place: Place) => Place): Int32Array {
    this.#rounds++;
    const result = new Int32Array(codes.length);
    for (let i = 0; i < codes.length; i++) {
      const code = codes[i] as number;
      if (code === STILL) continue;
      if (this.#round[code] !== this.#rounds) {
        const place = { label: this.labelOf(code), phase: this.phaseOf(code), mark: this.markOf(code) };
        const made = this.create(change(place));
        this.#round[code] = this.#rounds;
        this.#memo[code] = made;
      }
      result[i] = this.#memo[code] as number;
    }
    return result;
  }
}
