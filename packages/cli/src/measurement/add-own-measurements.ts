import { UsageError } from "@isthmus/core";
import { useMeasurements } from "@isthmus/measurements/use";
import { listResultKinds } from "@isthmus/report";
import { takenByStudies } from "@isthmus/study";
import { USE } from "../options/use-option.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { listVerbs } from "../verbs.ts";

/**
 * Adds the measurements and the makers of networks that the files of a command line define.
 * @throws UsageError if an option names no file, or a definition has a name that is taken
 */
export async function addOwnMeasurements(
  use: readonly string[],
  terminal: Pick<Terminal, "note">,
): Promise<void> {
  const odd = use.find((file) => file === "" || file.startsWith("-"));
  if (odd !== undefined) {
    throw new UsageError(
      `Cannot use a file as ${USE} must name a file, such as ./gradient-norm.ts: it names ${odd === "" ? "none" : `"${odd}"`}`,
    );
  }
  const taken = takenByStudies();
  await useMeasurements(use, {
    onNote: (sentence) => terminal.note(sentence),
    verbs: Object.keys(listVerbs()),
    ...taken,
    kinds: [...(await listResultKinds()), ...taken.kinds],
  });
}
