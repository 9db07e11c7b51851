import { entry, MismatchError, sizeOf, toFloat64 } from "@isthmus/core";
import type { MultipliedKind, MultipliedSource } from "./multiplied-weight.ts";
import { cayley, type RotationStage, rotateColumns, skewsOf } from "./rotations.ts";
import { scaleRows } from "./scale-rows.ts";

/**
 * BOFT: the inputs of a module are rotated by stages of blocks, before each of which a butterfly brings other
 * inputs together; then each output is multiplied by a learned factor.
 *
 * Source: Liu et al., Parameter-efficient orthogonal finetuning via butterfly factorization, 2024, section 4;
 * PEFT, `BOFTLayer.get_delta_weight` and `block_butterfly_perm`.
 */
export const boftKind: MultipliedKind = {
  name: "BOFT",
  peftType: "BOFT",
  end: /\.boft_R$/,
  others: (key) => [factorsOf(key)],
  open(name, key, source) {
    const { tensors } = source.checkpoint;
    const { shape } = entry(tensors, key, "tensor");
    const [stages = 0, blocks = 0, size = 0] = shape;
    const rows = sizeOf(tensors.get(factorsOf(key))?.shape ?? [0]);
    // A butterfly takes halves of blocks, twice as many of them at each stage.
    const isWhole = stages === 1 || (size % 2 === 0 && blocks % 2 ** (stages - 1) === 0);
    if (shape.length !== 4 || sizeOf(shape) === 0 || size !== shape[3] || rows === 0 || !isWhole) {
      throw new MismatchError(
        `Cannot use adapter "${source.source}" as "${name}" must have rotations [stages, blocks, size, size] and a factor for each output: they are [${shape}] and ${rows}`,
        { parameters: [name] },
      );
    }
    return {
      name,
      kind: "BOFT",
      expected: `[${rows}, ${blocks * size}]`,
      fits: (weight) => weight[0] === rows && sizeOf(weight.slice(1)) === blocks * size,
      async readRows() {
        const rotations = await readStages(key, { stages, blocks, size }, source);
        const { data, dtype } = await source.checkpoint.read(factorsOf(key));
        const factors = toFloat64(data, dtype);
        return (weight) => {
          rotateColumns(weight, rotations);
          scaleRows(weight, factors);
        };
      },
    };
  },
};

/** Returns the name of the tensor with the factors of outputs. */
function factorsOf(key: string): string {
  return key.replace(/boft_R$/, "boft_s");
}

interface Stages {
  readonly stages: number;
  readonly blocks: number;
  readonly size: number;
}

async function readStages(
  key: string,
  { stages, blocks, size }: Stages,
  { checkpoint }: MultipliedSource,
): Promise<readonly RotationStage[]> {
  const { data, dtype } = await checkpoint.read(key);
  const skews = skewsOf(toFloat64(data, dtype), size, 0.5);
  const rotations = await Promise.all(skews.map(cayley));
  return Array.from({ length: stages }, (_, stage) => ({
    rotations: rotations.slice(stage * blocks, (stage + 1) * blocks),
    order: stage === 0 ? undefined : butterflyOrder(blocks * size, size / 2, 2 ** (stage + 1)),
  }));
}

/**
 * Lists columns in the order in which a stage takes them: of each group of `count` halves of blocks, PEFT
 * moves the even halves to the front and then the odd ones, and rotates what stands at their places before.
 */
function butterflyOrder(columns: number, half: number, count: number): Uint32Array {
  const order = new Uint32Array(columns);
  for (let column = 0; column < columns; column++) {
    const [group, inGroup] = [Math.floor(column / (half * count)), column % (half * count)];
    const piece = Math.floor(inGroup / half);
    const from = piece < count / 2 ? 2 * piece : 2 * (piece - count / 2) + 1;
    order[group * half * count + from * half + (column % half)] = column;
  }
  return order;
}
