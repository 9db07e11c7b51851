/** Checks of sizes in a result, which note each size that is not as another part of the result says. */
export interface SizeChecks {
  /** Notes a list that has not as many entries as another one, or as numbers of the result say. */
  length(where: string, list: readonly unknown[], entries: number, as: string): void;
  /** Notes a table that has not so many rows, or a row of it that has not so many columns. */
  table(
    where: string,
    rows: readonly (readonly unknown[])[],
    size: readonly [rows: number, columns: number],
    as: string,
  ): void;
  /** Notes a position that no entry of a list has; a missing one is none. */
  position(where: string, position: number | null | undefined, entries: number, of: string): void;
  /** Notes a list that has too few entries to be drawn. */
  least(where: string, list: readonly unknown[], entries: number): void;
}

/** Runs checks of sizes on a result, and returns the problems that they noted. */
export function checkSizes(check: (checks: SizeChecks) => void): readonly string[] {
  const checks = createSizeChecks();
  check(checks);
  return checks.problems;
}

/** Starts without any problem. */
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
