import { type Checkpoint, toFloat32 } from "@isthmus/core";
import type { DiagonalSymmetry } from "@isthmus/symmetry";

/** Copies of the weights that a symmetry changes, by name. */
export type Subjects = ReadonlyMap<string, Float32Array>;

/** Reads the weights that a symmetry changes, as f32 that may be changed. */
export async function readSubjects(checkpoint: Checkpoint, { weights }: DiagonalSymmetry): Promise<Subjects> {
  const subjects = new Map<string, Float32Array>();
  for (const name of weights.keys()) {
    const { data, dtype } = await checkpoint.read(name);
    subjects.set(name, toFloat32(data, dtype));
  }
  return subjects;
}
