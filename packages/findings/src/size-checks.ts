/** Checks of sizes in a result, which note each size that contradicts another part of the result. */
export interface SizeChecks {
  /**
   * Notes a problem unless a list has `entries` entries; `as` names the part of the result that it must match
   * in size.
   */
  length(where: string, list: readonly unknown[], entries: number, as: string): void;
  /**
   * Notes a table with another number of rows than `size` says, or a row of it with another number of
   * columns.
   */
  table(
    where: string,
    rows: readonly (readonly unknown[])[],
    size: readonly [rows: number, columns: number],
    as: string,
  ): void;
  /** Notes a position beyond the end of a list; missing positions are allowed. */
  position(where: string, position: number | null | undefined, entries: number, of: string): void;
  /** Notes a list with too few entries to be drawn. */
  least(where: string, list: readonly unknown[], entries: number): void;
}

/** Runs checks of sizes on a result, and returns the problems that they noted. */
export function checkSizes(check: (checks: SizeChecks) => void): readonly string[] {
  const checks = createSizeChecks();
  check(checks);
  return checks.problems;
}

/** Creates checks that have noted no problem so far. */
function createSizeChecks(): SizeChecks & { readonly problems: readonly string[] } {
  const problems: string[] = [];
  const checks: SizeChecks & { readonly problems: readonly string[] } = {
    problems,
    length(where, { length }, entries, as) {
      if (length !== entries)
        problems.push(`"${where}": must have ${entries} entries, as ${as}: it has ${length}`);
    },
    table(where, rows, [height, width], as) {
      checks.length(where, rows, height, as);
      for (const [i, row] of rows.entries()) checks.length(`${where}.${i}`, row, width, as);
    },
    position(where, position, entries, of) {
      if (position === undefined || position === null || position < entries) return;
      problems.push(`"${where}": must be a position among the ${entries} of "${of}": it is ${position}`);
    },
    least(where, { length }, entries) {
      if (length < entries)
        problems.push(`"${where}": must have at least ${entries} entries: it has ${length}`);
    },
  };
  return checks;
}
