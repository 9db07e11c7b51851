/** Builds the script of maps to walk on from its sources, minified. */
export function buildWalkScript(): Promise<string>;
