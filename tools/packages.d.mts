/** Root folder of the repository. */
export const root: string;

/** Names of packages, sorted. */
export const packageNames: readonly string[];

/** Files under a folder of one package with the given ending, as paths from the root. */
export function sourceFiles(
  name: string,
  options?: { readonly folder?: string; readonly ending?: string; readonly tests?: boolean },
): string[];
