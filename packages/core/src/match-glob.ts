/**
 * Tells whether a name fits a pattern, in which `*` stands for any characters, `?` for one, and all else for itself.
 *
 * Takes what follows a star where it first fits, and the next fit if that fails, so the time is at most the product of both lengths.
 */
export function matchesGlob(pattern: string, name: string): boolean {
  let [p, n] = [0, 0];
  // Where to go on if what follows the last star fits no longer.
  let [star, retry] = [-1, 0];
  while (n < name.length) {
    const at = pattern[p];
    if (at === "*") {
      star = p++;
      retry = n;
    } else if (at !== undefined && (at === "?" || at === name[n])) {
      p++;
      n++;
    } else if (star >= 0) {
      p = star + 1;
      n = ++retry;
    } else {
      return false;
    }
  }
  while (pattern[p] === "*") p++;
  return p === pattern.length;
}

/** Tells whether a name fits any of some patterns, see {@link matchesGlob}; it fits none of no patterns. */
export function matchesAny(patterns: readonly string[], name: string): boolean {
  return patterns.some((pattern) => matchesGlob(pattern, name));
}
