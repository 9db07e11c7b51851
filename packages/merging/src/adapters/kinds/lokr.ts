import { at } from "@isthmus/core";
import { createMatrix, type Matrix } from "@isthmus/linear-algebra";
import type { ChangeRows, FactorType } from "../factors.ts";
import type { FactorKind, FactorParts } from "./factor-kind.ts";
import {
  dtypeOf,
  type FactorPair,
  openPair,
  openWhole,
  rowsOfPair,
  wholeFactors,
  zeros,
} from "./factor-pair.ts";

/**
 * LoKr: a change that is the Kronecker product of two matrices, each of which is whole or a product. It
 * equals one product of the Kronecker products of their factors.
 *
 * Source: Yeh et al., Navigating text-to-image customization (LyCORIS), 2024, section 3; LyCORIS,
 * `LokrModule`; PEFT, `LoKrLayer`.
 */
export const loKrKind: FactorKind = {
  name: "LoKr",
  peftType: "LOKR",
  roles: ["lokr_w1", "lokr_w1_a", "lokr_w1_b", "lokr_w2", "lokr_w2_a", "lokr_w2_b", "lokr_t2"],
  open(parts) {
    const first = openSide(parts, { whole: "lokr_w1", left: "lokr_w1_a", right: "lokr_w1_b" });
    const second = openSide(parts, {
      whole: "lokr_w2",
      left: "lokr_w2_a",
      right: "lokr_w2_b",
      core: "lokr_t2",
    });
    const rows = first.rows * second.rows;
    const width = first.columns * second.columns;
    const rank = Math.min(first.rank * second.rank, rows, width);
    const [columns = 1, ...kernel] = second.inner;
    const readRows = (type: FactorType) => rowsOfKronecker(first, second, type);
    return {
      rank: rankOfScale(parts),
      shapes: {
        a: [rank, first.columns * columns, ...kernel],
        b: [rows, rank, ...kernel.map(() => 1)],
      },
      isFlat: kernel.length === 0,
      dtype: dtypeOf(parts),
      async readFactors(type) {
        if (first.rank * second.rank > rank) return wholeFactors({ rows, columns: width }, readRows, type);
        const [one, other] = [await first.read(type), await second.read(type)];
        return {
          left: kronecker(one.left, other.left, type),
          right: kronecker(one.right, other.right, type),
        };
      },
      readRows,
    };
  },
};

function openSide(
  parts: FactorParts,
  { whole, ...roles }: { whole: string; left: string; right: string; core?: string },
): FactorPair {
  return parts.tensors.has(whole) ? openWhole(parts, whole) : openPair(parts, roles);
}

/** Returns the rank of the sides that are products; undefined if both are whole. */
function rankOfScale({ tensors }: FactorParts): number | undefined {
  return (tensors.get("lokr_w2_b") ?? tensors.get("lokr_w1_b"))?.shape[0];
}

async function rowsOfKronecker(first: FactorPair, second: FactorPair, type: FactorType): Promise<ChangeRows> {
  const one = createMatrix(first.rows, first.columns, (await rowsOfPair(first, type))(0, first.rows));
  const other = createMatrix(second.rows, second.columns, (await rowsOfPair(second, type))(0, second.rows));
  return (top, bottom) => kroneckerRows(one, other, { top, bottom, type });
}

function kronecker(one: Matrix, other: Matrix, type: FactorType): Matrix {
  const rows = one.rows * other.rows;
  const data = kroneckerRows(one, other, { top: 0, bottom: rows, type });
  return createMatrix(rows, one.columns * other.columns, data);
}

/** Computes rows `[top, bottom)` of the Kronecker product of two matrices. */
function kroneckerRows(
  one: Matrix,
  other: Matrix,
  { top, bottom, type }: { readonly top: number; readonly bottom: number; readonly type: FactorType },
): Matrix["data"] {
  const width = one.columns * other.columns;
  const out = zeros((bottom - top) * width, type);
  for (let row = top; row < bottom; row++) {
    const ofOther = (row % other.rows) * other.columns;
    for (let i = 0; i < one.columns; i++) {
      const factor = at(one.data, Math.floor(row / other.rows) * one.columns + i, "element");
      const begin = (row - top) * width + i * other.columns;
      for (let j = 0; j < other.columns; j++)
        out[begin + j] = factor * at(other.data, ofOther + j, "element");
    }
  }
  return out;
}
