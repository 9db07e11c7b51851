import type { Provenance } from "@isthmus/findings";
import type { DrawableResult } from "@isthmus/report";
import { quoteCommand } from "../terminal/quote-command.ts";
import { listFedData } from "./fed-data.ts";

/** Kinds of results that `isthmus report` draws. */
const DRAWABLE: Readonly<Record<DrawableResult["kind"], true>> = {
  barrier: true,
  layers: true,
  plane: true,
  map: true,
  curve: true,
  star: true,
  study: true,
  simulation: true,
  comparison: true,
  curvature: true,
  ensemble: true,
  attack: true,
  pareto: true,
  landscape: true,
  "curvature-history": true,
  "dropout-stability": true,
  "dropout-path": true,
  "walked-path": true,
  "intrinsic-dimension": true,
  similarity: true,
  prune: true,
  mechanisms: true,
};
/**
 * Options that change nothing of a result, then options with a value that say where
 * the work is done and results are written.
 */
const INCIDENTAL: ReadonlySet<string> = new Set(["--json", "--quiet", "-q", "--resume"]);
const REPORT: ReadonlySet<string> = new Set(["--report", "--queue", "--storage"]);
const OUTPUT: ReadonlySet<string> = new Set([...REPORT, "--output", "-o"]);
/** Verbs that make networks and write them: without an output their command does not run. */
const TRAINING: ReadonlySet<string> = new Set(["curve", "star", "prune"]);

/**
 * Describes the command that made a result, without options that change nothing of it, so that the result
 * is the same wherever it is written.
 * @param argv - the words after the name of the program, first the verb
 */
export function describeCommand(argv: readonly string[], version: string): Provenance {
  const [verb = ""] = argv;
  const places = TRAINING.has(verb) ? REPORT : OUTPUT;
  let previous = "";
  const words = argv.filter((word) => {
    const isValueOfPlace = places.has(previous);
    previous = word;
    const [option = ""] = word.split("=");
    return !(INCIDENTAL.has(word) || places.has(option) || isValueOfPlace);
  });
  return { command: quoteCommand(["isthmus", ...words]), version };
}

/**
 * Adds the command that made a result to it, and how it scaled bytes, if it can be drawn and does not name
 * its command already.
 */
export function withProvenance(result: object, provenance: Provenance): object {
  const { kind } = result as { readonly kind?: unknown };
  const drawable = typeof kind === "string" && Object.hasOwn(DRAWABLE, kind);
  if (!drawable || "provenance" in result) return result;
  const data = listFedData();
  return { ...result, provenance: data.length === 0 ? provenance : { ...provenance, data } };
}
