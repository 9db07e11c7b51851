import { at, MismatchError } from "@isthmus/core";
import { createMatrix, type Matrix, multiply } from "@isthmus/linear-algebra";
import type { ChangeRows, Factors, FactorType } from "../factors.ts";
import type { FactorKind } from "./factor-kind.ts";
import {
  dtypeOf,
  type FactorPair,
  openPair,
  rowsOf,
  rowsOfPair,
  wholeFactors,
  zeros,
} from "./factor-pair.ts";

/**
 * LoHa: a change that is the product, element by element, of two products of matrices. It equals one product
 * whose rank is the product of both ranks, of the row-wise products of the factors (Khatri-Rao).
 *
 * Source: Hyeon-Woo et al., FedPara, 2022, proposition 1; LyCORIS, `LohaModule`; PEFT, `LoHaLayer`.
 */
export const loHaKind: FactorKind = {
  name: "LoHa",
  peftType: "LOHA",
  roles: ["hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b", "hada_t1", "hada_t2"],
  open(parts) {
    const first = openPair(parts, { left: "hada_w1_a", right: "hada_w1_b", core: "hada_t1" });
    const second = openPair(parts, { left: "hada_w2_a", right: "hada_w2_b", core: "hada_t2" });
    if (first.rows !== second.rows || first.columns !== second.columns) {
      throw new MismatchError(
        `Cannot use adapter "${parts.source}" as both products of "${parts.module}" must have one shape: they are ${first.rows} x ${first.columns} and ${second.rows} x ${second.columns}`,
        { parameters: [parts.module] },
      );
    }
    const { rows, columns, inner } = first;
    const rank = Math.min(first.rank * second.rank, rows, columns);
    const ones = inner.slice(1).map(() => 1);
    const readRows = (type: FactorType) => rowsOfHadamard(first, second, type);
    return {
      rank: first.rank,
      shapes: { a: [rank, ...inner], b: [rows, rank, ...ones] },
      isFlat: inner.length === 1,
      dtype: dtypeOf(parts),
      readRows,
      readFactors: (type) =>
        first.rank * second.rank <= rank
          ? joinPairs(first, second, type)
          : wholeFactors({ rows, columns }, readRows, type),
    };
  },
};

async function rowsOfHadamard(first: FactorPair, second: FactorPair, type: FactorType): Promise<ChangeRows> {
  const [ofFirst, ofSecond] = [await rowsOfPair(first, type), await rowsOfPair(second, type)];
  return (top, bottom) => {
    const rows = ofFirst(top, bottom);
    const others = ofSecond(top, bottom);
    for (let i = 0; i < rows.length; i++) rows[i] = at(rows, i, "element") * at(others, i, "element");
    return rows;
  };
}

/** Joins two pairs into one whose product is the product of both, element by element. */
async function joinPairs(first: FactorPair, second: FactorPair, type: FactorType): Promise<Factors> {
  const [one, other] = [await first.read(type), await second.read(type)];
  const { columns } = first;
  const data = zeros(first.rank * second.rank * columns, type);
  for (let row = 0; row < first.rank * second.rank; row++) {
    const ofOne = Math.floor(row / second.rank) * columns;
    const ofOther = (row % second.rank) * columns;
    for (let j = 0; j < columns; j++) {
      data[row * columns + j] =
        at(one.right.data, ofOne + j, "element") * at(other.right.data, ofOther + j, "element");
    }
  }
  const right = createMatrix(first.rank * second.rank, columns, data);
  return { left: rowProducts(one.left, other.left, type), right };
}

/** Makes all products of an element of one matrix with an element of the other in the same row. */
function rowProducts(one: Matrix, other: Matrix, type: FactorType): Matrix {
  const columns = one.columns * other.columns;
  const data = zeros(one.rows * columns, type);
  for (let row = 0; row < one.rows; row++) {
    const [a, b] = [rowsOf(one, row, row + 1), rowsOf(other, row, row + 1)];
    data.set(multiply(a, b, { transposeLeft: true }).data, row * columns);
  }
  return createMatrix(one.rows, columns, data);
}
