import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import { at, entry } from "../../invariant.ts";
import { keepLast } from "../keep-last.ts";
import { checkPart, damaged, keepPart, type PackedWeight } from "./packed-weight.ts";

/** Numbers for which the codes 0 to 15 of e2m1 stand. */
const E2M1 = Float32Array.of(0, 0.5, 1, 1.5, 2, 3, 4, 6, -0, -0.5, -1, -1.5, -2, -3, -4, -6);

/** Number of bytes of a block: 32 codes of 4 bits, the first in the low bits. */
const BLOCK_BYTES = 16;

/** Exponent byte that stands for "not a number" in e8m0. */
const NOT_A_NUMBER = 255;

/**
 * Finds the weights of gpt-oss in MXFP4: `x_blocks`, u8 `[experts, rows, blocks, 16]`, and `x_scales`, u8
 * `[experts, rows, blocks]`.
 *
 * A number is its code of e2m1 times 2 to the power of its scale less 127, in bf16. The weight `x` has the
 * shape `[experts, columns, rows]`, as transformers transposes the matrix of each expert.
 * @throws FormatError if blocks and scales have other shapes, or a scale stands for no number
 * @see https://github.com/huggingface/transformers, `integrations/mxfp4.py`, `convert_moe_packed_tensors`
 */
export async function findMxfp4(checkpoint: Checkpoint): Promise<readonly PackedWeight[]> {
  const { tensors, source } = checkpoint;
  const readScales = keepPart(checkpoint);
  const sizes = new Map<string, number>();
  // The key is the name of the blocks, a space, and the number of the expert.
  const readExpert = keepLast(async (key) => {
    const [blocks = "", expert = "0"] = [
      key.slice(0, key.lastIndexOf(" ")),
      key.slice(key.lastIndexOf(" ") + 1),
    ];
    const bytes = new Uint8Array(entry(sizes, blocks, "tensor of blocks"));
    await checkpoint.readRangeInto(blocks, Number(expert) * bytes.length, bytes);
    return bytes;
  });
  const names = [...tensors.keys()].filter((name) => isBlocks(checkpoint, name));
  return names.map((blocks) => {
    const name = blocks.slice(0, -"_blocks".length);
    const scales = `${name}_scales`;
    const { shape } = checkPart(checkpoint, blocks, { dtypes: ["u8"], rank: 4 });
    const [experts, rows, groups] = [at(shape, 0, "size"), at(shape, 1, "size"), at(shape, 2, "size")];
    checkPart(checkpoint, blocks, { dtypes: ["u8"], shape: [experts, rows, groups, BLOCK_BYTES] });
    checkPart(checkpoint, scales, { dtypes: ["u8"], shape: [experts, rows, groups] });
    const columns = groups * BLOCK_BYTES * 2;
    sizes.set(blocks, rows * groups * BLOCK_BYTES);
    return {
      name,
      codes: blocks,
      parts: [scales],
      info: { dtype: "bf16", shape: [experts, columns, rows], stored: "MXFP4" },
      async fill(begin, out) {
        const exponents = (await readScales(scales)) as Uint8Array;
        const bad = exponents.indexOf(NOT_A_NUMBER);
        if (bad >= 0)
          throw damaged(
            source,
            `all scales of "${scales}" must be numbers: scale ${bad} has the exponent ${NOT_A_NUMBER}`,
          );
        const size = columns * rows;
        for (let i = 0; i < out.length; ) {
          const expert = Math.floor((begin + i) / size);
          const codes = (await readExpert(`${blocks} ${expert}`)) as Uint8Array;
          const end = Math.min(out.length, (expert + 1) * size - begin);
          const matrix = { codes, exponents: exponents.subarray(expert * rows * groups), rows, columns };
          unpackTransposed(matrix, begin + i - expert * size, out.subarray(i, end));
          i = end;
        }
      },
    };
  });
}

function isBlocks({ tensors }: Checkpoint, name: string): boolean {
  return (
    name.endsWith("_blocks") &&
    tensors.get(name)?.dtype === "u8" &&
    tensors.has(`${name.slice(0, -"_blocks".length)}_scales`)
  );
}

/** Codes and exponents of one matrix. */
interface PackedExpert {
  readonly codes: Uint8Array;
  readonly exponents: Uint8Array;
  readonly rows: number;
  readonly columns: number;
}

/** Unpacks elements of the transposed matrix from `begin` on. */
function unpackTransposed(
  { codes, exponents, rows, columns }: PackedExpert,
  begin: number,
  out: Float32Array,
): void {
  for (let i = 0; i < out.length; i++) {
    const row = (begin + i) % rows;
    const column = Math.floor((begin + i) / rows);
    const place = row * columns + column;
    const byte = codes[place >> 1] as number;
    const exponent = (exponents[Math.floor(place / (BLOCK_BYTES * 2))] as number) - 127;
    out[i] = (E2M1[(place & 1) === 0 ? byte & 15 : byte >> 4] as number) * 2 ** exponent;
  }
}
