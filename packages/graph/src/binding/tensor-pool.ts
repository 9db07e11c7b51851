import { type Checkpoint, DTYPES, sizeOf, type Tensor, toFloat32 } from "@isthmus/core";

/** A tensor of the pool that has given values. */
export interface PoolMatch {
  readonly tensor: string;
  readonly transposed: boolean;
}

/** The tensors of a checkpoint, looked up by their values; each is read once, when first needed. */
export class TensorPool {
  readonly #checkpoint: Checkpoint;
  readonly #taken = new Set<string>();
  readonly #bySize = new Map<number, string[]>();
  readonly #heads = new Map<string, Float32Array>();

  constructor(checkpoint: Checkpoint) {
    this.#checkpoint = checkpoint;
    for (const [name, { dtype, shape }] of checkpoint.tensors) {
      if (!DTYPES[dtype].float) continue;
      const size = sizeOf(shape);
      const list = this.#bySize.get(size);
      if (list === undefined) this.#bySize.set(size, [name]);
      else list.push(name);
    }
  }

  /** Marks a tensor as used. */
  take(name: string): void {
    this.#taken.add(name);
  }

  /** Floating-point tensors that were not used. */
  unused(): string[] {
    return [...this.#bySize.values()].flat().filter((name) => !this.#taken.has(name));
  }

  /** Names of the tensors of a number of elements, those not used first. */
  ofSize(size: number): string[] {
    const all = this.#bySize.get(size) ?? [];
    return [...all.filter((name) => !this.#taken.has(name)), ...all.filter((name) => this.#taken.has(name))];
  }

  /** Shape of a tensor. */
  shapeOf(name: string): readonly number[] {
    return this.#checkpoint.tensors.get(name)?.shape ?? [];
  }

  /** Values of a tensor in row-major order. */
  async read(name: string): Promise<Float32Array> {
    const { data, dtype } = await this.#checkpoint.read(name);
    return toFloat32(data, dtype);
  }

  /** Values of a vector, kept for the next time. */
  async readVector(name: string): Promise<Float32Array> {
    const known = this.#heads.get(name) ?? (await this.read(name));
    this.#heads.set(name, known);
    return known;
  }

  /** Tells whether a tensor has these values, in the same order or transposed. */
  async matches(name: string, wanted: Tensor, transposed: boolean): Promise<boolean> {
    const values = toFloat32(wanted.data, wanted.dtype);
    if (!transposed) return sameValues(await this.read(name), values);
    const [rows = 1, columns = 1] = wanted.shape;
    const other = await this.read(name);
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++) if (other[j * rows + i] !== values[i * columns + j]) return false;
    }
    return true;
  }

  /** All unused tensors that have these values; where there is none, the first used one, as weights may be shared. */
  async find(wanted: Tensor): Promise<PoolMatch[]> {
    const found: PoolMatch[] = [];
    for (const tensor of this.ofSize(sizeOf(wanted.shape))) {
      const used = this.#taken.has(tensor);
      if (used && found.length > 0) break;
      const shape = this.shapeOf(tensor);
      if (sameExtents(shape, wanted.shape) && (await this.matches(tensor, wanted, false))) {
        found.push({ tensor, transposed: false });
      } else if (isTransposed(shape, wanted.shape) && (await this.matches(tensor, wanted, true))) {
        found.push({ tensor, transposed: true });
      }
    }
    return found;
  }
}

function sameValues(a: Float32Array, b: Float32Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++)
    if (a[i] !== b[i] && !(Number.isNaN(a[i]) && Number.isNaN(b[i]))) return false;
  return true;
}

/** Tells whether two shapes are the same but for axes of extent 1. */
function sameExtents(a: readonly number[], b: readonly number[]): boolean {
  const [left, right] = [a, b].map((shape) => shape.filter((extent) => extent > 1).join());
  return left === right;
}

function isTransposed(a: readonly number[], b: readonly number[]): boolean {
  return a.length === 2 && b.length === 2 && a[0] === b[1] && a[1] === b[0];
}
