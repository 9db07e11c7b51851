import type { Member } from "../../coordinate-descent/unit-tree.ts";

/** Counts moves of units, and tells which places they touched. */
export class PlaceMoves {
  #count = 0;
  readonly #last = new Map<Member, Int32Array>();

  /** The number of moves so far. */
  get count(): number {
    return this.#count;
  }

  /** Notes that the units at some places of a member have moved. */
  note(member: Member, places: readonly number[]): void {
    const last = this.#last.get(member) ?? new Int32Array(unitsOfMember(member));
    this.#last.set(member, last);
    this.#count++;
    for (const place of places) last[place] = this.#count;
  }

  /** Returns the places of a member that a move after some others has touched, ascending. */
  since(count: number, member: Member): Int32Array {
    const last = this.#last.get(member) ?? new Int32Array();
    return Int32Array.from(last.keys()).filter((place) => (last[place] as number) > count);
  }
}

/** Counts the units of a member, over all its cells. */
export const unitsOfMember = ({ symmetry }: Member): number => symmetry.cells.length * symmetry.size;
