import type { DrawableResult, Provenance } from "@isthmus/report";
import { quoteCommand } from "../terminal/quote-command.ts";

/** Kinds of results that `isthmus report` draws. */
const DRAWABLE: Readonly<Record<DrawableResult["kind"], true>> = {
  barrier: true,
  layers: true,
  plane: true,
  curve: true,
  star: true,
  study: true,
};
/** Options that change nothing of a result, and those that say where it goes, with a value. */
const INCIDENTAL: ReadonlySet<string> = new Set(["--json", "--quiet", "-q", "--resume"]);
const REPORT: ReadonlySet<string> = new Set(["--report"]);
const OUTPUT: ReadonlySet<string> = new Set(["--report", "--output", "-o"]);
/** Verbs that train networks, which must go somewhere: without that their command does not run. */
const TRAINING: ReadonlySet<string> = new Set(["curve", "star"]);

/** Says which command made a result, without options that change nothing of it: so the result is the same wherever it goes. */
export function describeCommand(argv: readonly string[], version: string): Provenance {
  const places = TRAINING.has(argv[0] ?? "") ? REPORT : OUTPUT;
  const words = argv.filter((word, index) => {
    const [option = ""] = word.split("=");
    return !(INCIDENTAL.has(word) || places.has(option) || places.has(argv[index - 1] ?? ""));
  });
  return { command: quoteCommand(["isthmus", ...words]), version };
}

/** Adds to a result that can be drawn which command made it, unless it says so already. */
export function withProvenance(result: object, provenance: Provenance): object {
  const { kind } = result as { readonly kind?: unknown };
  const drawable = typeof kind === "string" && Object.hasOwn(DRAWABLE, kind);
  return drawable && !("provenance" in result) ? { ...result, provenance } : result;
}
