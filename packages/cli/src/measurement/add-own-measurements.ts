import { UsageError } from "@isthmus/core";
import { useMeasurements } from "@isthmus/measurements/use";
import { listResultKinds } from "@isthmus/report";
import { USE } from "../options/use-option.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { listVerbs } from "../verbs.ts";

/**
 * Adds the measurements of the files that a command line names.
 * @throws UsageError if an option names no file, or a measurement has the name of something else
 */
export async function addOwnMeasurements(
  use: readonly string[],
  terminal: Pick<Terminal, "note">,
): Promise<void> {
  const odd = use.find((file) => file === "" || file.startsWith("-"));
  if (odd !== undefined) {
    throw new UsageError(
      `Cannot add measurements as ${USE} must name a file, such as ./gradient-norm.ts: it names ${odd === "" ? "none" : `"${odd}"`}`,
    );
  }
  await useMeasurements(use, {
    onNote: (sentence) => terminal.note(sentence),
    verbs: Object.keys(listVerbs()),
    kinds: await listResultKinds(),
  });
}
