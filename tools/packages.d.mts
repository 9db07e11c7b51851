/** Root folder of the repository. */
export const root: string;

/** Names of packages, sorted. */
export const packageNames: readonly string[];
