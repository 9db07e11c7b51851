import { basename } from "@isthmus/platform";
import { titlesOfFiles } from "../file-names.ts";
import type { MeasuredResult } from "../result-kind.ts";
import type { Subjects } from "./measurement.ts";

/** Sorts of subjects that measurements of one's own can have. */
export const OWN_SUBJECTS = ["network", "pair", "networks"] as const;

/** Name of a sort of subject that measurements of one's own can have. */
export type OwnSubjectName = (typeof OWN_SUBJECTS)[number];

/** Sorts of subjects whose weights alone are read, by the sorts that come with examples. */
export const WEIGHTS_OF: WeightsOf = {
  network: "weights",
  pair: "weights-of-pair",
  networks: "weights-of-networks",
};

interface WeightsOf {
  readonly network: "weights";
  readonly pair: "weights-of-pair";
  readonly networks: "weights-of-networks";
}

/**
 * Subject of a measurement of one's own.
 * @typeParam D - whether it needs examples and an architecture, or reads weights alone
 */
export type OwnSubject<S extends OwnSubjectName, D extends boolean> = Subjects[D extends false
  ? WeightsOf[S]
  : S];

/** Subject of any measurement of one's own. */
type AnyOwnSubject = OwnSubject<OwnSubjectName, boolean>;

/** Origin of a result of a measurement of one's own: the fields beside its findings. */
export interface OwnOrigin extends MeasuredResult {
  /** Source of the network, if one is measured. */
  readonly network?: string | undefined;
  /** Source of the first network of a pair. */
  readonly a?: string | undefined;
  /** Source of the second network of a pair. */
  readonly b?: string | undefined;
  /** Names of the networks, if several are measured. */
  readonly networks?: readonly string[] | undefined;
  /** Name of the examples. */
  readonly data?: string | undefined;
  /** Number of the examples. */
  readonly examples?: number | undefined;
  /** Name of the engine that computed. */
  readonly engine?: string | undefined;
  /** Options that it was measured with, defaults included. */
  readonly options?: Readonly<Record<string, unknown>> | undefined;
}

/** Returns the networks and the examples of a subject, as its result records them. */
export function originOf(subject: AnyOwnSubject): Omit<OwnOrigin, "kind" | "options"> {
  if (!("data" in subject)) return networksOf(subject);
  const { data, engine } = subject;
  return { ...networksOf(subject), data: data.name, examples: data.size, engine: engine.name };
}

function networksOf(subject: AnyOwnSubject): Pick<OwnOrigin, "network" | "a" | "b" | "networks"> {
  if ("network" in subject) return { network: subject.network.source };
  if ("networks" in subject) return { networks: subject.networks.map(({ label }) => label) };
  return { a: subject.a.source, b: subject.b.source };
}

/** Makes the title of a result's page from its kind and the names of its networks. */
export function plainTitle({ kind, network, a, b, networks }: OwnOrigin): string {
  const what = `${kind.slice(0, 1).toUpperCase()}${kind.slice(1).replaceAll("-", " ")}`;
  if (network !== undefined) return `${what} of ${basename(network)}`;
  if (a !== undefined && b !== undefined) return `${what} of ${titlesOfFiles([a, b]).join(" and ")}`;
  return networks === undefined ? what : `${what} of ${networks.join(", ")}`;
}
