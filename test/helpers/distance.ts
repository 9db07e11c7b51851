import { type Checkpoint, toFloat32 } from "@isthmus/core";

/** Sum of the differences of all elements of two checkpoints with the same tensors. */
export async function distance(a: Checkpoint, b: Checkpoint): Promise<number> {
  let sum = 0;
  for (const name of a.tensors.keys()) {
    const [x, y] = await Promise.all([a.read(name), b.read(name)]);
    const [left, right] = [toFloat32(x.data, x.dtype), toFloat32(y.data, y.dtype)];
    left.forEach((value, i) => {
      sum += Math.abs(value - (right[i] ?? 0));
    });
  }
  return sum;
}
