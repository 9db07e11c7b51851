import { factOf } from "../measurement/describe-plainly.ts";
import { plainTitle } from "../measurement/own-result.ts";
import type { PageFact } from "../page-fact.ts";
import type { Report } from "../report.ts";

/** Sources of the networks that another one was made from: one, or several. */
export interface MadeOf {
  /** Source of the network, if it was made from one. */
  readonly network?: string;
  /** Sources of the networks, if it was made from several. */
  readonly networks?: readonly string[];
}

/** The title of the page of a network that was made, and the facts that it shows beside the result. */
export interface MadeFacts {
  /** Title of the page: the sort of result and the sources. */
  readonly title: string;
  /** Sources of the networks that it was made from, and the settings. */
  readonly facts: readonly PageFact[];
}

/**
 * Returns the title and the facts of the page of a network that was made.
 * @param settings - values by their names, such as options and names of examples
 */
export function madeFacts(
  { subject }: Pick<Report, "subject">,
  madeOf: MadeOf,
  settings: Readonly<Record<string, unknown>>,
): MadeFacts {
  return {
    title: plainTitle({ kind: subject, ...madeOf }),
    facts: Object.entries({ ...madeOf, ...settings }).flatMap(([name, value]) => factOf(name, value)),
  };
}
