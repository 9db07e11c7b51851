import { at, entry } from "@isthmus/core";
import type { AssignmentSolver } from "../assignment/assignment-solver.ts";
import type { Block, Member } from "./unit-tree.ts";

interface SolveContext {
  readonly solver: AssignmentSolver;
  /** Choices of symmetries that must not be moved, by index. */
  readonly held?: ((symmetry: number) => Int32Array | undefined) | undefined;
  /** Duals of the last solve of each symmetry with one cell, by index; updated. */
  readonly duals: Map<number, Float64Array>;
}

/** The values of a member, and the inner solutions that they are based on. */
interface Solved {
  readonly member: Member;
  /** Best value of taking unit j to place i, all nested units included, `[units, units]`. */
  readonly values: Float32Array;
  readonly children: readonly SolvedChild[];
}

interface SolvedChild {
  readonly solved: Solved;
  /** Best choices for each pair of parent units, `[parent units, parent units, size]`. */
  readonly choices: Int32Array;
}

/**
 * Finds the placement of a block with the greatest total cost.
 *
 * From the innermost members outwards, the best assignment between each cell and each other is the value of
 * the pair of parents; the outermost assignment then fixes which inner ones are used.
 *
 * @param costs - for each member, `[units, units]`: the contribution of unit j in place i
 * @returns choices by index of symmetry
 */
export function solveBlock(
  block: Block,
  costs: ReadonlyMap<Member, Float32Array>,
  context: SolveContext,
): Map<number, Int32Array> {
  const solved = solveMember(block.root, costs, context);
  const { cells, size } = block.root.symmetry;
  const choices = new Map<number, Int32Array>();
  const chosen = new Int32Array(cells.length * size);
  const warm = cells.length === 1 ? context.duals.get(block.root.index) : undefined;
  for (let cell = 0; cell < cells.length; cell++) {
    const held = context.held?.(block.root.index);
    if (held !== undefined) {
      chosen.set(held.subarray(cell * size, (cell + 1) * size), cell * size);
      continue;
    }
    const result = context.solver.solve(cellCosts(solved, cell, cell), { maximize: true, duals: warm });
    chosen.set(result.assignment, cell * size);
    context.duals.set(block.root.index, result.columnDuals);
  }
  choose(solved, { chosen, units: chosen.map((choice, place) => place - (place % size) + choice) }, choices);
  return choices;
}

function solveMember(
  member: Member,
  costs: ReadonlyMap<Member, Float32Array>,
  context: SolveContext,
): Solved {
  const cost = entry(costs, member, "member");
  if (member.children.length === 0) return { member, values: cost, children: [] };
  const values = cost.slice();
  const children = member.children.map((child) => {
    const solved = solveMember(child, costs, context);
    return { solved, choices: addChildValues(solved, values, context) };
  });
  return { member, values, children };
}

/** Adds to each pair of parent units the value of the best assignment between the child cells they own. */
function addChildValues(child: Solved, values: Float32Array, { solver, held }: SolveContext): Int32Array {
  const { cellOfParentUnit, symmetry, index } = child.member;
  const heldChoices = held?.(index);
  const units = cellOfParentUnit.length;
  const choices = new Int32Array(units * units * symmetry.size);
  for (let to = 0; to < units; to++) {
    for (let from = 0; from < units; from++) {
      const cell = at(cellOfParentUnit, to, "parent unit");
      const cost = cellCosts(child, cell, at(cellOfParentUnit, from, "parent unit"));
      const { assignment, objective } =
        heldChoices === undefined
          ? solver.solve(cost, { maximize: true })
          : valueOfAssignment(cost, heldChoices.subarray(cell * symmetry.size, (cell + 1) * symmetry.size));
      values[to * units + from] = at(values, to * units + from, "pair") + objective;
      choices.set(assignment, (to * units + from) * symmetry.size);
    }
  }
  return choices;
}

/** Sums the costs of an assignment. */
function valueOfAssignment({ data, stride }: ReturnType<typeof cellCosts>, assignment: Int32Array) {
  let objective = 0;
  assignment.forEach((unit, place) => {
    objective += at(data, place * stride + unit, "cost");
  });
  return { assignment, objective };
}

/** Returns the values between the units of two cells, as a view. */
function cellCosts({ member, values }: Solved, to: number, from: number) {
  const { size, cells } = member.symmetry;
  const stride = cells.length * size;
  return { data: values.subarray(to * size * stride + from * size), rows: size, columns: size, stride };
}

/** Writes the choices of a member whose units are placed, and of all members nested in it. */
function choose(
  { member, children }: Solved,
  placed: { readonly chosen: Int32Array; readonly units: Int32Array },
  choices: Map<number, Int32Array>,
): void {
  choices.set(member.index, placed.chosen);
  const units = placed.units.length;
  for (const { solved, choices: best } of children) {
    const { size, cells } = solved.member.symmetry;
    const chosen = new Int32Array(cells.length * size);
    const inner = new Int32Array(chosen.length);
    placed.units.forEach((from, to) => {
      const cell = at(solved.member.cellOfParentUnit, to, "parent unit");
      const source = at(solved.member.cellOfParentUnit, from, "parent unit");
      for (let i = 0; i < size; i++) {
        const choice = at(best, (to * units + from) * size + i, "choice");
        chosen[cell * size + i] = choice;
        inner[cell * size + i] = source * size + choice;
      }
    });
    choose(solved, { chosen, units: inner }, choices);
  }
}
