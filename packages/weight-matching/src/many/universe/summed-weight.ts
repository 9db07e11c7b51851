import type { StepGram } from "./kernels/relax.ts";
import { addParts, addTo, gramOfSums, type StepSums, stepSums, subtractInto } from "./kernels/sums.ts";
import type { ComponentMaps, PartedWeight } from "./parted-weight.ts";
import type { RelaxedWeight } from "./relaxed-weight.ts";

/** The inner products of a step of one weight that all networks take at once. */
export interface SummedGrams {
  /** Inner products of the sums of image, cross and vertex over all networks. */
  readonly sum: StepGram;
  /** Inner products, one for each network. */
  readonly networks: readonly StepGram[];
}

/** The sum of all networks of a weight in the universe; in f64, so that moves leave no rounding behind. */
export class SummedWeight {
  readonly #weight: PartedWeight;
  readonly #members: readonly RelaxedWeight[];
  readonly #image: Float64Array;
  /** Sums of the parts of a step; computed when the step is first measured. */
  #step: StepSums | undefined;

  /** @param members - the weight in each network */
  constructor(weight: PartedWeight, members: readonly RelaxedWeight[]) {
    const { rows, rest, columns } = weight.extents;
    this.#weight = weight;
    this.#members = members;
    this.#image = new Float64Array(rows * rest * columns);
    this.refresh();
  }

  /** Sums the images anew, after all of them have moved. */
  refresh(): void {
    this.#image.fill(0);
    for (const member of this.#members) addTo(this.#image, member.image);
  }

  /** Writes the sum of all members but one. */
  othersInto(member: RelaxedWeight, out: Float32Array): void {
    subtractInto(this.#image, member.image, out);
  }

  /** Permutes a member; returns the positions of each component that now come from elsewhere. */
  place(member: RelaxedWeight, maps: ComponentMaps): Int32Array[] {
    const some = member.movesTo(maps);
    addParts(this.#image, member.image, this.#weight.extents, { some, factor: -1 });
    member.place(maps);
    addParts(this.#image, member.image, this.#weight.extents, { some, factor: 1 });
    return some;
  }

  /** Measures the step that all members face. */
  measure(): SummedGrams {
    const sums = this.#stepSums();
    sums.cross?.fill(0);
    sums.vertex.fill(0);
    const networks = this.#members.map((member) => member.measure(sums));
    return { sum: gramOfSums(sums), networks };
  }

  /** Follows a step of `t` in `[0, 1]` of all members, which was measured before they took it. */
  step(t: number): void {
    stepSums(this.#stepSums(), t);
  }

  #stepSums(): StepSums {
    const { length } = this.#image;
    this.#step ??= {
      image: this.#image,
      cross: this.#weight.components.length > 1 ? new Float64Array(length) : undefined,
      vertex: new Float64Array(length),
    };
    return this.#step;
  }
}
