import { factOf } from "../measurement/describe-plainly.ts";
import { plainTitle } from "../measurement/own-result.ts";
import type { PageFact } from "../page-fact.ts";
import type { Report } from "../report.ts";

/** Where networks were read from that another one was made of: one, or several. */
export interface MadeOf {
  readonly network?: string;
  readonly networks?: readonly string[];
}

/** The title of the page of a network that was made, and the facts that it shows beside the result. */
export interface MadeFacts {
  readonly title: string;
  /** The networks that it was made of, and the settings. */
  readonly facts: readonly PageFact[];
}

/**
 * Says on a page of what and how a network was made.
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
