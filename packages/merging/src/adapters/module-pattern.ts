import { compileExpression } from "../match-expression.ts";

/**
 * Makes a test for whether a pattern of PEFT fits a module. The pattern is the end of the module's name,
 * after a dot, or a regular expression for that end. The expression is compiled once, at the first name that
 * does not end in the pattern.
 * @param pattern - pattern such as `q_proj` or `layers\.\d\.mlp`
 * @throws InputError when the test is called, if the pattern is not a valid regular expression, or its time
 *   has no bound
 */
export function compileModulePattern(pattern: string): (module: string) => boolean {
  let fits: ReturnType<typeof compileExpression> | undefined;
  return (module) => {
    if (module === pattern || module.endsWith(`.${pattern}`)) return true;
    fits ??= compileExpression(String.raw`(?:.*\.)?(?:${pattern})`, { whole: true });
    return fits(module);
  };
}
