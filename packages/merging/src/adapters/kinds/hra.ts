import { at, entry, MismatchError, sizeOf, toFloat64 } from "@isthmus/core";
import type { MultipliedKind, MultipliedRows } from "./multiplied-weight.ts";

/**
 * HRA: the inputs of a module are reflected by Householder reflections, one after the other, or all at once
 * by vectors that are made orthogonal first.
 *
 * Source: Yuan et al., Bridging the gap between low-rank and orthogonal adaptation via Householder reflection
 * adaptation, 2024, equations 4 and 6; PEFT, `HRALinear.get_delta_weight`.
 */
export const hraKind: MultipliedKind = {
  name: "HRA",
  peftType: "HRA",
  end: /\.hra_u$/,
  open(name, key, { source, checkpoint, settings }) {
    const { shape } = entry(checkpoint.tensors, key, "tensor");
    const [columns = 0, count = 0] = shape;
    if (shape.length !== 2 || columns * count === 0) {
      throw new MismatchError(
        `Cannot use adapter "${source}" as the reflections of "${name}" must be [inputs, rank]: they are [${shape}]`,
        { parameters: [name] },
      );
    }
    return {
      name,
      kind: "HRA",
      expected: `[*, ${columns}]`,
      fits: (weight) => weight.length >= 2 && sizeOf(weight.slice(1)) === columns,
      async readRows() {
        const { data, dtype } = await checkpoint.read(key);
        const elements = toFloat64(data, dtype);
        const vectors = Array.from({ length: count }, (_, i) =>
          Float64Array.from({ length: columns }, (__, j) => at(elements, j * count + i, "element")),
        );
        makeUnits(vectors, settings["apply_GS"] === true);
        return (rows) => {
          for (const vector of vectors) reflect(rows, vector);
        };
      },
    };
  },
};

/** Gives vectors the length 1, in place; first each is made orthogonal to those before it, if asked for. */
function makeUnits(vectors: readonly Float64Array[], isOrthogonal: boolean): void {
  for (const [i, vector] of vectors.entries()) {
    if (isOrthogonal)
      for (const earlier of vectors.slice(0, i)) addTo(vector, earlier, -dot(vector, earlier));
    const length = Math.sqrt(dot(vector, vector));
    for (let j = 0; j < vector.length; j++) vector[j] = at(vector, j, "element") / length;
  }
}

/** Reflects each row at the plane to which a vector of length 1 is normal: `w - 2 (w u) u`. */
function reflect({ data, columns }: MultipliedRows, vector: Float64Array): void {
  for (let begin = 0; begin < data.length; begin += columns) {
    const row = data.subarray(begin, begin + columns);
    addTo(row, vector, -2 * dot(row, vector));
  }
}

function dot(one: ArrayLike<number>, other: Float64Array): number {
  return other.reduce((sum, x, i) => sum + x * at(one, i, "element"), 0);
}

function addTo(row: Float32Array | Float64Array, vector: Float64Array, factor: number): void {
  for (let i = 0; i < row.length; i++) row[i] = at(row, i, "element") + factor * at(vector, i, "element");
}
