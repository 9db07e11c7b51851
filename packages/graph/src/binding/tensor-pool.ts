import { asFloat32, type Checkpoint, DTYPES, type DType, entry, sizeOf, toFloat32 } from "@isthmus/core";
import { placeBefore, rearrange, reshapeTo, type ShapedValues, transpositions } from "./rearrange.ts";
import { roundTo, sameValues } from "./same-values.ts";
import type { Rearrangement, TensorSource } from "./weight-source.ts";

/** Number of elements that are compared before a whole tensor is read. */
const PROBES = 6;

/** Values of a graph's weight that its file contains. */
export interface CarriedValues extends ShapedValues {
  /** Element type of the weight in the file, before its values became f32. */
  readonly dtype: DType;
}

/** Floating-point tensors of a checkpoint, which can be found by their values. */
export class TensorPool {
  readonly checkpoint: Checkpoint;
  readonly #taken = new Set<string>();
  readonly #bySize = new Map<number, string[]>();
  readonly #vectors = new Map<string, Float32Array>();

  constructor(checkpoint: Checkpoint) {
    this.checkpoint = checkpoint;
    for (const [name, { dtype, shape }] of checkpoint.tensors) {
      if (!DTYPES[dtype].float) continue;
      const list = this.#bySize.get(sizeOf(shape));
      if (list === undefined) this.#bySize.set(sizeOf(shape), [name]);
      else list.push(name);
    }
  }

  /** Marks a tensor as used. */
  take(name: string): void {
    this.#taken.add(name);
  }

  /** Lists the floating-point tensors that were not used, in the checkpoint's order. */
  unused(): string[] {
    return [...this.checkpoint.tensors]
      .filter(([name, { dtype }]) => DTYPES[dtype].float && !this.#taken.has(name))
      .map(([name]) => name);
  }

  /** Lists the tensors of a number of elements, unused ones first. */
  ofSize(size: number): string[] {
    const names = this.#bySize.get(size) ?? [];
    return [
      ...names.filter((name) => !this.#taken.has(name)),
      ...names.filter((name) => this.#taken.has(name)),
    ];
  }

  /** Checks whether a tensor is used. */
  isTaken(name: string): boolean {
    return this.#taken.has(name);
  }

  /** Returns the shape of a tensor. */
  shapeOf(name: string): readonly number[] {
    return entry(this.checkpoint.tensors, name).shape;
  }

  /** Reads the values of a tensor in row-major order. */
  async read(name: string): Promise<Float32Array> {
    const { data, dtype } = await this.checkpoint.read(name);
    return toFloat32(data, dtype);
  }

  /** Reads a vector, and keeps it in memory for later calls. */
  async readVector(name: string): Promise<Float32Array> {
    const vector = this.#vectors.get(name) ?? (await this.read(name));
    this.#vectors.set(name, vector);
    return vector;
  }

  /**
   * Checks whether a tensor, rearranged, has the values that a graph's file contains.
   *
   * Both are compared in the narrower of the two element types, so that a bf16 copy of an exported network is
   * found.
   */
  async matches(name: string, carried: CarriedValues, steps: readonly Rearrangement[]): Promise<boolean> {
    const { dtype, shape } = entry(this.checkpoint.tensors, name);
    const target = roundTo(carried.values, dtype);
    if (!(await this.#probe(name, steps, { target, dtype: carried.dtype }))) return false;
    const values = roundTo(await this.read(name), carried.dtype);
    return sameValues(rearrange({ values, shape }, steps).values, target);
  }

  /** Compares a few elements, which are cheap to read, before a whole tensor is read. */
  async #probe(
    name: string,
    steps: readonly Rearrangement[],
    { target, dtype }: { readonly target: Float32Array; readonly dtype: DType },
  ): Promise<boolean> {
    const { dtype: storedType, shape } = entry(this.checkpoint.tensors, name);
    for (let probe = 0; probe < PROBES; probe++) {
      const place = Math.floor((probe * (target.length - 1)) / (PROBES - 1));
      const stored = placeBefore(shape, steps, place);
      const data = await this.checkpoint.readRange(name, stored, stored + 1);
      if (!sameValues(roundTo(asFloat32(data, storedType), dtype), target.subarray(place, place + 1)))
        return false;
    }
    return true;
  }

  /**
   * Finds all unused tensors that have the values of a weight, in any shape or with axes exchanged; if there
   * are none, the first used tensor, as weights may be shared.
   */
  async find(carried: CarriedValues): Promise<TensorSource[]> {
    const matches: TensorSource[] = [];
    for (const tensor of this.ofSize(carried.values.length)) {
      if (this.isTaken(tensor) && matches.length > 0) break;
      const source = await this.arrangementOf(tensor, carried);
      if (source !== undefined) matches.push(source);
    }
    return matches;
  }

  /** Finds the rearrangement of a tensor to a weight; undefined if the tensor has other values. */
  async arrangementOf(tensor: string, carried: CarriedValues): Promise<TensorSource | undefined> {
    const shape = this.shapeOf(tensor);
    if (sizeOf(shape) !== carried.values.length) return undefined;
    const arrangements = [reshapeTo(shape, carried.shape), ...transpositions(shape, carried.shape)];
    for (const steps of arrangements) {
      if (await this.matches(tensor, carried, steps)) return { kind: "tensor", tensor, steps };
    }
    return undefined;
  }
}
