import { UnsupportedError } from "@isthmus/core";

/** Patterns are regular expressions of strangers: repeated groups could take forever, so they are refused. */
const REPEATED_GROUP = /\)\s*[*+{?]/;
const MAX_LENGTH = 500;

/**
 * Checks whether a pattern of PEFT fits a module: a regular expression for the end of its name, after a dot.
 * @param pattern - such as `q_proj` or `layers\.\d\.mlp`
 * @throws UnsupportedError if the pattern is no regular expression, or repeats groups
 */
export function fitsModule(pattern: string, module: string): boolean {
  if (module === pattern || module.endsWith(`.${pattern}`)) return true;
  if (pattern.length > MAX_LENGTH || REPEATED_GROUP.test(pattern)) throw patternError(pattern);
  try {
    return new RegExp(`^(?:.*\\.)?(?:${pattern})$`).test(module);
  } catch {
    throw patternError(pattern);
  }
}

function patternError(pattern: string): UnsupportedError {
  return new UnsupportedError(
    `Cannot look for modules as a pattern must be a short regular expression without repeated groups: "${pattern}"`,
    { feature: "pattern" },
  );
}
