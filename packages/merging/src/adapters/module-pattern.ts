import { compileExpression } from "../match-expression.ts";

/**
 * Makes the test whether a pattern of PEFT fits a module: it is the end of its name, after a dot, or a
 * regular expression for that, which is compiled once, when a name does not end in it.
 * @param pattern - such as `q_proj` or `layers\.\d\.mlp`
 * @throws InputError when it is called, if the pattern is no regular expression, or has no bound on its time
 */
export function compileModulePattern(pattern: string): (module: string) => boolean {
  let fits: ReturnType<typeof compileExpression> | undefined;
  return (module) => {
    if (module === pattern || module.endsWith(`.${pattern}`)) return true;
    fits ??= compileExpression(String.raw`(?:.*\.)?(?:${pattern})`, { whole: true });
    return fits(module);
  };
}
