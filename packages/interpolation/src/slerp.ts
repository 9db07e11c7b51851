import {
  blendInto,
  type Checkpoint,
  dot,
  type Elements,
  entry,
  lerpInto,
  MismatchError,
  OutOfRangeError,
  sizeOf,
  squaredNorm,
} from "@isthmus/core";
import { combine, scanTensor } from "./combine.ts";

/**
 * Smallest cosine of directions that are treated as parallel: arc and chord agree to the precision of f32,
 * and a division by the sine of the angle would only add noise.
 */
const PARALLEL = 1 - 1e-6;

/**
 * Returns the checkpoint at `t` on the arc from `a` to `b`, lazily, tensor by tensor:
 * `sin((1 - t) w) / sin w * a + sin(t w) / sin w * b`, where `w` is the angle between the two tensors as
 * vectors (Shoemake 1985). Lengths are interpolated as well, because the vectors are not normalised.
 *
 * The angle is measured in f64 over the whole tensor. Tensors that are zero, parallel, or of one element have
 * no arc and are interpolated on the line. The ends are exact; integer tensors are copied from the nearer
 * end.
 * @throws MismatchError if names or shapes differ, or, when a tensor of two or more elements is read, if it
 *   has opposite directions in the two checkpoints, because many arcs lead from one to the other, and the
 *   line leads through zero
 * @throws OutOfRangeError if `t` is not in `[0, 1]`
 */
export function slerp(a: Checkpoint, b: Checkpoint, t: number): Checkpoint {
  if (!(t >= 0 && t <= 1)) {
    throw new OutOfRangeError(`Cannot interpolate on an arc as t must be in [0, 1]: got ${t}`);
  }
  return combine({
    source: `slerp(${a.source}, ${b.source}, ${t})`,
    inputs: [a, b],
    integersFrom: t < 0.5 ? a : b,
    survey: (name) => (t === 0 || t === 1 ? undefined : measureAngle([a, b], name)),
    blend(_range, [from, to], out, angle) {
      if (from !== undefined && to !== undefined) arcInto(from, to, { t, angle }, out);
    },
  });
}

/**
 * Computes the point at `t` on the arc between two tensors, or on the line if `angle` is undefined because
 * there is no arc.
 */
function arcInto(
  from: Elements,
  to: Elements,
  { t, angle }: { readonly t: number; readonly angle: number | undefined },
  out: Elements,
): void {
  if (angle === undefined) {
    lerpInto(from, to, t, out);
    return;
  }
  const sine = Math.sin(angle);
  blendInto([from, to], [Math.sin((1 - t) * angle) / sine, Math.sin(t * angle) / sine], out);
}

/**
 * Measures the angle between the tensors of one name in two checkpoints, in radians, in f64.
 * @returns undefined if there is no arc between the tensors
 * @throws MismatchError if the tensors have opposite directions
 */
export async function measureAngle(
  [a, b]: readonly [Checkpoint, Checkpoint],
  name: string,
): Promise<number | undefined> {
  let product = 0;
  let squareA = 0;
  let squareB = 0;
  await scanTensor([a, b], name, ([x, y]) => {
    if (x === undefined || y === undefined) return;
    product += dot(x, y);
    squareA += squaredNorm(x);
    squareB += squaredNorm(y);
  });
  const cosine = product / Math.sqrt(squareA * squareB);
  if (sizeOf(entry(a.tensors, name, "tensor").shape) > 1 && cosine <= -PARALLEL) throw opposite(name, a, b);
  // NaN, from a zero vector, is not below the limit either.
  return Math.abs(cosine) < PARALLEL ? Math.acos(cosine) : undefined;
}

function opposite(name: string, a: Checkpoint, b: Checkpoint): MismatchError {
  return new MismatchError(
    `Cannot interpolate "${name}" of "${a.source}" and "${b.source}" on an arc as they must not point in opposite directions: ` +
      "they do; interpolate on the line, or align the checkpoints first",
    { parameters: [name] },
  );
}
