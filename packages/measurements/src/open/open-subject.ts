import type { SubjectName } from "@isthmus/findings";
import type { Opened, OpenRequest } from "./opened.ts";
import type { SubjectOptions } from "./subject-options.ts";

/** Measurement whose subject is opened, with the options that are known before its networks are read. */
export interface SubjectRequest<S extends SubjectName> extends OpenRequest<SubjectOptions[S]> {
  /** Options of the measurement with their defaults, which decide how the examples of a training change. */
  readonly resolved: Readonly<Record<string, unknown>>;
  /** Seed of random weights to train. @defaultValue 0 */
  readonly seed?: number | undefined;
}

/** Opens a subject of a sort, passes it to `work`, and closes it whatever happens. */
export type OpenSubject<S extends SubjectName> = <T>(
  request: SubjectRequest<S>,
  work: (opened: Opened<S>) => Promise<T>,
) => Promise<T>;
