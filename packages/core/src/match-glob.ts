/**
 * Checks whether a name matches a pattern, in which `*` matches any characters, `?` any one character, and
 * every other character itself.
 *
 * If the rest of the pattern does not match, only the last star is extended, so the time is at most
 * proportional to the product of both lengths.
 */
export function matchesGlob(pattern: string, name: string): boolean {
  let [p, n] = [0, 0];
  // Positions at which to continue if the pattern after the last star does not match.
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

/** Checks whether a name matches at least one pattern; see {@link matchesGlob}. */
export function matchesAny(patterns: readonly string[], name: string): boolean {
  return patterns.some((pattern) => matchesGlob(pattern, name));
}
