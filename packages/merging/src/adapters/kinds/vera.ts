import { at, entry, MismatchError, sizeOf, type TensorInfo, toFloat64 } from "@isthmus/core";
import { createMatrix, type Matrix, multiply, sliceColumns, transposeMatrix } from "@isthmus/linear-algebra";
import { addScaled } from "../../matrices/kernels/task-vectors.ts";
import { rowsOf } from "./factor-pair.ts";
import type { MultipliedKind, MultipliedSource } from "./multiplied-weight.ts";
import { scaleRows } from "./scale-rows.ts";

/** Names of the two matrices of random numbers that all modules share. */
const SHARED = ["base_model.vera_A", "base_model.vera_B"] as const;

/**
 * VeRA: a low-rank change whose two factors are random, the same for all modules, and cut to the extents of
 * each weight; rows of the factors are multiplied by learned numbers.
 *
 * Source: Kopiczko et al., VeRA: vector-based random matrix adaptation, 2024, equation 2; PEFT,
 * `vera.Linear.get_delta_weight`.
 */
export const veraKind: MultipliedKind = {
  name: "VeRA",
  peftType: "VERA",
  end: /\.vera_lambda_d$/,
  others: (key) => [ofOutputs(key), ...SHARED],
  open(name, key, source) {
    const { tensors } = source.checkpoint;
    const [a, b] = [sharedOf(source, SHARED[0]), sharedOf(source, SHARED[1])];
    const rank = sizeOf(entry(tensors, key, "tensor").shape);
    const outputs = sizeOf(tensors.get(ofOutputs(key))?.shape ?? [0]);
    const [inputs = 0, most = 0] = [a.shape[1], b.shape[0]];
    if (rank === 0 || rank !== a.shape[0] || rank !== b.shape[1] || outputs === 0 || outputs > most) {
      throw new MismatchError(
        `Cannot use adapter "${source.source}" as the factors of "${name}" must be of one rank, and have as many outputs as its learned numbers: they are [${a.shape}] and [${b.shape}] for ${rank} and ${outputs} numbers`,
        { parameters: [name] },
      );
    }
    const isTransposed = source.settings["fan_in_fan_out"] === true;
    const extents = (weight: readonly number[]) => (isTransposed ? [...weight].reverse() : weight);
    return {
      name,
      kind: "VeRA",
      expected: isTransposed ? `[up to ${inputs}, ${outputs}]` : `[${outputs}, up to ${inputs}]`,
      fits(weight) {
        const [rows = 0, columns = 0] = extents(weight);
        return weight.length === 2 && rows === outputs && columns <= inputs;
      },
      async readRows() {
        const left = rowsOf(await readMatrix(source, SHARED[1]), 0, outputs);
        scaleRows({ ...left, top: 0 }, (await readMatrix(source, ofOutputs(key))).data);
        const right = await readMatrix(source, SHARED[0]);
        scaleRows({ ...right, top: 0 }, (await readMatrix(source, key)).data);
        const [first, second] = isTransposed
          ? [transposeMatrix(right), transposeMatrix(left)]
          : [left, right];
        return ({ data, top, columns }) => {
          const change = multiply(
            rowsOf(first, top, top + data.length / columns),
            sliceColumns(second, 0, columns),
          );
          addScaled(data, change.data, 1);
        };
      },
    };
  },
};

/** Returns the name of the learned numbers of a module's outputs. */
function ofOutputs(key: string): string {
  return key.replace(/vera_lambda_d$/, "vera_lambda_b");
}

/** Finds a matrix of random numbers, which PEFT leaves out of the file if `save_projection` is off. */
function sharedOf({ checkpoint, source }: MultipliedSource, name: string): TensorInfo {
  const info = checkpoint.tensors.get(name);
  if (info?.shape.length === 2) return info;
  throw new MismatchError(
    `Cannot use adapter "${source}" as VeRA's random factors must be in the file: it lacks "${name}", which only PyTorch draws again, by its "projection_prng_key"; save it by PEFT with save_projection=True`,
    { parameters: [name] },
  );
}

async function readMatrix({ checkpoint }: MultipliedSource, name: string): Promise<Matrix> {
  const { data, dtype, shape } = await checkpoint.read(name);
  const rows = at(shape, 0, "extent");
  const elements = Float64Array.from(toFloat64(data, dtype));
  return createMatrix(rows, elements.length / rows, elements);
}
