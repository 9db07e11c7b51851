import type { Provenance } from "@isthmus/findings";
import { quoteCommand } from "@isthmus/findings";
import { listMeasurements } from "@isthmus/measurements";
import { listFedData } from "./fed-data.ts";

/**
 * Options that change nothing of a result, then options whose values are the places of the work and of the
 * results.
 */
const INCIDENTAL: ReadonlySet<string> = new Set(["--json", "--quiet", "-q", "--verbose", "--resume"]);
const REPORT: ReadonlySet<string> = new Set(["--report", "--queue", "--storage"]);
const OUTPUT: ReadonlySet<string> = new Set([...REPORT, "--output", "-o"]);
/** Verbs that make networks and write them: without an output their command does not run. */
const TRAINING: ReadonlySet<string> = new Set(["curve", "star", "prune"]);

/**
 * Describes the command that made a result, without options that change nothing of it, so that the result
 * is the same wherever it is written.
 * @param argv - the words after the name of the program, first the verb
 * @param program - its version, and the files of measurements that it uses
 */
export function describeCommand(
  argv: readonly string[],
  { version, use }: { readonly version: string; readonly use: readonly string[] },
): Provenance {
  const [verb = ""] = argv;
  const places = TRAINING.has(verb) ? REPORT : OUTPUT;
  let previous = "";
  const words = argv.filter((word) => {
    const isValueOfPlace = places.has(previous);
    previous = word;
    const [option = ""] = word.split("=");
    return !(INCIDENTAL.has(word) || places.has(option) || isValueOfPlace);
  });
  return { command: quoteCommand(["isthmus", ...use.flatMap((file) => ["--use", file]), ...words]), version };
}

/**
 * Adds the command that made a result to it, and the scale of bytes, if the result can be drawn and does not
 * name its command already.
 */
export async function withProvenance(result: object, provenance: Provenance): Promise<object> {
  const { kind } = result as { readonly kind?: unknown };
  if (typeof kind !== "string" || "provenance" in result || !(await isDrawable(kind))) return result;
  const data = listFedData();
  return { ...result, provenance: data.length === 0 ? provenance : { ...provenance, data } };
}

async function isDrawable(kind: string): Promise<boolean> {
  if (listMeasurements().some((entry) => entry.kind === kind)) return true;
  // Loaded if needed, as most commands that print no result are quick.
  const { listResultKinds } = await import("@isthmus/report");
  return (await listResultKinds()).includes(kind);
}
