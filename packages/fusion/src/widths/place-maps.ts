import { at } from "@isthmus/core";
import { createMatrix, type Matrix } from "@isthmus/linear-algebra";
import { solveAssignment } from "@isthmus/weight-matching";
import type { UnitFamily } from "../transport/correspond.ts";
import { nearestSemiOrthogonal } from "./semi-orthogonal.ts";
import type { MapKind } from "./width-pair.ts";

/** Symmetries of two networks, and products of their units, from which maps are found. */
export interface MapProblem {
  /** Symmetries and followers, by index. */
  readonly families: readonly UnitFamily[];
  /** Way in which the units of each symmetry may be mapped, by index. */
  readonly kinds: readonly MapKind[];
  /** Products of units by index of the symmetry, `[source units, target units]`; a missing one is zero. */
  readonly grams: ReadonlyMap<number, Float64Array>;
}

/** Maps of all pairs of cells of a symmetry, and of the symmetries nested in it. */
interface SolvedCells {
  readonly symmetry: number;
  readonly family: UnitFamily;
  /** Map and score of each pair of cells, `[source cells, target cells]`. */
  readonly cells: readonly { readonly map: Matrix; readonly score: number }[];
  readonly nested: readonly SolvedCells[];
}

/**
 * Finds the map of each symmetry that maximises the products of the units it brings together. Cells that may
 * be mixed are mapped by the nearest matrix with orthonormal rows or columns; others one to one. Symmetries
 * that are nested in units, such as the inner dimensions of heads, are mapped cell by cell, and their scores
 * decide which units go together; if one network has more heads, some of them get no partner.
 *
 * @returns maps by index of the symmetry, `[source units, target units]`
 */
export function placeMaps(problem: MapProblem, only?: ReadonlySet<number>): Map<number, Matrix> {
  const maps = new Map<number, Matrix>();
  for (const { symmetry, above } of problem.families) {
    if (symmetry === undefined || above.length > 0 || only?.has(symmetry) === false) continue;
    compose(solveCells(symmetry, problem), [1], maps);
  }
  return maps;
}

function solveCells(symmetry: number, problem: MapProblem): SolvedCells {
  const { families, grams, kinds } = problem;
  const family = at(families, symmetry, "symmetry");
  const { source, target } = family;
  const [rows, columns] = [source.count / source.parents.length, target.count / target.parents.length];
  const total = Float64Array.from(grams.get(symmetry) ?? new Float64Array(source.count * target.count));
  const nested = families.flatMap(({ symmetry: child, above }) =>
    child !== undefined && above[0] === symmetry ? [solveCells(child, problem)] : [],
  );
  for (const child of nested) {
    child.cells.forEach(({ score }, pair) => {
      const [unit, other] = parentsOfPair(child.family, family, pair);
      total[unit * target.count + other] = at(total, unit * target.count + other, "product") + score;
    });
  }
  const kind = at(kinds, symmetry, "symmetry");
  const cells = Array.from({ length: source.parents.length * target.parents.length }, (_, pair) => {
    const [a, b] = [Math.floor(pair / target.parents.length), pair % target.parents.length];
    const data = new Float64Array(rows * columns);
    for (let i = 0; i < rows; i++) {
      const begin = (a * rows + i) * target.count + b * columns;
      data.set(total.subarray(begin, begin + columns), i * columns);
    }
    const gram = createMatrix(rows, columns, data);
    return kind === "units" || nested.length > 0
      ? assign(gram)
      : nearestSemiOrthogonal(gram, kind === "stream-keeping-ones");
  });
  return { symmetry, family, cells, nested };
}

/** Pairs units one to one, as many as the narrower side has, by the largest sum of products. */
function assign({ rows, columns, data }: Matrix): { map: Matrix; score: number } {
  const map = new Float64Array(rows * columns);
  const { assignment } = solveAssignment(
    { rows, columns, data: Float32Array.from(data) },
    { maximize: true },
  );
  let score = 0;
  assignment.forEach((column, row) => {
    if (column < 0) return;
    map[row * columns + column] = 1;
    score += at(data, row * columns + column, "product");
  });
  return { map: createMatrix(rows, columns, map), score };
}

/** Finds the parents of a pair of cells, as positions among the units of the family above. */
function parentsOfPair(family: UnitFamily, above: UnitFamily, pair: number): [number, number] {
  const [a, b] = [Math.floor(pair / family.target.parents.length), pair % family.target.parents.length];
  const unit = at(at(family.source.parents, a, "cell"), 0, "parent") - above.source.firstUnit;
  const other = at(at(family.target.parents, b, "cell"), 0, "parent") - above.target.firstUnit;
  return [unit, other];
}

/** Composes the maps of cells to the map of a symmetry, and of all symmetries nested in it. */
function compose(
  { symmetry, family, cells, nested }: SolvedCells,
  factors: readonly number[],
  maps: Map<number, Matrix>,
): void {
  const { source, target } = family;
  const [rows, columns] = [source.count / source.parents.length, target.count / target.parents.length];
  const map = new Float64Array(source.count * target.count);
  cells.forEach((cell, pair) => {
    const factor = at(factors, pair, "factor");
    const [a, b] = [Math.floor(pair / target.parents.length), pair % target.parents.length];
    for (let i = 0; i < rows; i++) {
      const begin = (a * rows + i) * target.count + b * columns;
      for (let j = 0; j < columns; j++)
        map[begin + j] = factor * at(cell.map.data, i * columns + j, "element");
    }
  });
  maps.set(symmetry, createMatrix(source.count, target.count, map));
  for (const child of nested) {
    const ofPairs = child.cells.map((_, pair) => {
      const [unit, other] = parentsOfPair(child.family, family, pair);
      return at(map, unit * target.count + other, "factor");
    });
    compose(child, ofPairs, maps);
  }
}
