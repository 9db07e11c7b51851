import { type Checkpoint, toFloat32 } from "@isthmus/core";
import type { DiagonalSymmetry } from "@isthmus/symmetry";

/** Copies of the weights that a symmetry changes, as distances from their origins, by name. */
export type Subjects = ReadonlyMap<string, Float32Array>;

/** Reads the weights that a symmetry changes as distances from their origins, f32 that may be changed. */
export async function readSubjects(checkpoint: Checkpoint, { weights }: DiagonalSymmetry): Promise<Subjects> {
  const subjects = new Map<string, Float32Array>();
  for (const [name, { origin = 0 }] of weights) {
    const { data, dtype } = await checkpoint.read(name);
    const values = toFloat32(data, dtype);
    subjects.set(name, origin === 0 ? values : values.map((value) => value - origin));
  }
  return subjects;
}

/** Returns a symmetry as it acts on {@link Subjects}: it multiplies them around 0. */
export function aroundZero(symmetry: DiagonalSymmetry): DiagonalSymmetry {
  const weights = [...symmetry.weights].map(([name, layout]) => [name, { ...layout, origin: 0 }] as const);
  return { ...symmetry, weights: new Map(weights) };
}
