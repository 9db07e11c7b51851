import { at, type Checkpoint, entry, MismatchError, sizeOf, toFloat64 } from "@isthmus/core";
import { createMatrix, type Matrix, transposeMatrix } from "@isthmus/linear-algebra";
import type { MultipliedKind, MultipliedSource } from "./multiplied-weight.ts";
import { cayley, type RotationStage, rotateColumns, skewsOf } from "./rotations.ts";
import { scaleRows } from "./scale-rows.ts";

/**
 * OFT and BOFT of LyCORIS, and OFT of kohya: the outputs of a module are rotated in blocks, `[blocks, size,
 * size]`, or by stages of blocks with butterflies between them, `[stages, blocks, size, size]`; then each
 * output may be multiplied by a learned factor.
 *
 * Source: LyCORIS, `functional/diag_oft.py` and `functional/boft.py`. A weight of the adapter other than
 * 1 is a share of the whole change here, and a share of each stage of BOFT in LyCORIS.
 */
export const lycorisOftKind: MultipliedKind = {
  name: "OFT of LyCORIS",
  peftType: undefined,
  end: /\.oft_blocks$/,
  others: (key) => [besideOf(key, "alpha"), besideOf(key, "rescale")],
  open(name, key, source) {
    const { tensors } = source.checkpoint;
    const { shape } = entry(tensors, key, "tensor");
    const isStaged = shape.length === 4;
    const [blocks = 0, size = 0, width = 0] = isStaged ? shape.slice(1) : shape;
    const rows = blocks * size;
    const isPaired = !isStaged || (size % 2 === 0 && blocks % 2 ** (at(shape, 0, "extent") - 1) === 0);
    const lengths = tensors.get(besideOf(key, "rescale"));
    const isFitting = lengths === undefined || sizeOf(lengths.shape) === rows;
    if (
      shape.length < 3 ||
      shape.length > 4 ||
      sizeOf(shape) === 0 ||
      size !== width ||
      !isPaired ||
      !isFitting
    ) {
      throw new MismatchError(
        `Cannot use adapter "${source.source}" as the rotations of "${name}" must be [blocks, size, size], or [stages, blocks, size, size] of an even size, with a factor for each output or none: they are [${shape}]`,
        { parameters: [name] },
      );
    }
    return {
      name,
      kind: isStaged ? "BOFT" : "OFT",
      expected: `[${rows}, ...]`,
      rowBlock: isStaged ? rows : size,
      fits: (weight) => weight[0] === rows,
      async readRows() {
        const stages = await readStages(key, { blocks, size, isStaged }, source);
        const factors = lengths && (await readNumbers(source.checkpoint, besideOf(key, "rescale")));
        return (weight) => {
          const { data, top, columns } = weight;
          const turned = transposeMatrix(createMatrix(data.length / columns, columns, data));
          const first = isStaged ? 0 : top / size;
          rotateColumns(
            { data: turned.data, columns: turned.columns },
            stages.map((stage) => ({
              ...stage,
              rotations: stage.rotations.slice(first, first + turned.columns / size),
            })),
          );
          data.set(transposeMatrix(turned).data);
          if (factors !== undefined) scaleRows(weight, factors);
        };
      },
    };
  },
};

/** Returns the name of another tensor of the same module. */
function besideOf(key: string, role: "alpha" | "rescale"): string {
  return key.replace(/oft_blocks$/, role);
}

async function readNumbers(checkpoint: Checkpoint, name: string): Promise<Float64Array> {
  const { data, dtype } = await checkpoint.read(name);
  return Float64Array.from(toFloat64(data, dtype));
}

interface Blocks {
  readonly blocks: number;
  readonly size: number;
  readonly isStaged: boolean;
}

async function readStages(
  key: string,
  { blocks, size, isStaged }: Blocks,
  { checkpoint }: MultipliedSource,
): Promise<readonly RotationStage[]> {
  const skews = skewsOf(await readNumbers(checkpoint, key), size, 1);
  const [alpha = 0] = checkpoint.tensors.has(besideOf(key, "alpha"))
    ? await readNumbers(checkpoint, besideOf(key, "alpha"))
    : [];
  shortenTogether(skews, alpha * blocks * size);
  // Rows of a block are rotated by R^T in OFT and by R in BOFT, if R is the transform of -Q.
  const rotations = await Promise.all(skews.map((skew) => cayley(isStaged ? transposeMatrix(skew) : skew)));
  return Array.from({ length: rotations.length / blocks }, (_, stage) => ({
    rotations: rotations.slice(stage * blocks, (stage + 1) * blocks),
    order: isStaged ? butterflyOrder(blocks * size, (size / 2) * 2 ** stage) : undefined,
  }));
}

/** Shortens all matrices of a module to one Frobenius norm together, if they are longer; 0 bounds nothing. */
function shortenTogether(skews: readonly Matrix[], bound: number): void {
  let square = 0;
  for (const { data } of skews) for (const x of data) square += x * x;
  const norm = Math.sqrt(square);
  if (!(bound > 0) || norm <= bound) return;
  for (const { data } of skews) {
    for (let i = 0; i < data.length; i++) data[i] = (at(data, i, "element") * bound) / norm;
  }
}

/** Lists rows in the order in which a stage takes them: each with the row that is `distance` behind it. */
function butterflyOrder(rows: number, distance: number): Uint32Array {
  return Uint32Array.from({ length: rows }, (_, i) => {
    const inGroup = i % (2 * distance);
    return i - inGroup + (inGroup % 2) * distance + Math.floor(inGroup / 2);
  });
}
