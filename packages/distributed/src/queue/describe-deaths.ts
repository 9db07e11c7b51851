import { EngineError } from "@isthmus/core";
import { describeError, type ErrorDescription } from "@isthmus/tasks";

/** Who died with a task. */
export interface TaskDeaths {
  readonly label: string;
  /** Number of workers, and of processes of workers, that died. */
  readonly deaths: number;
  /** Name of the last worker, if it said anything. */
  readonly worker?: string | undefined;
  /** How its process ended, if it is the process that died. */
  readonly reason?: string | undefined;
}

/** Describes why a task is set aside that those who ran it died with. */
export function describeDeaths({ label, deaths, worker, reason }: TaskDeaths): ErrorDescription {
  const last = worker === undefined ? "" : `, the last of them ${worker}`;
  const why = reason === undefined ? "" : ` (${reason})`;
  const { stack: _, ...description } = describeError(
    new EngineError(
      `Cannot run "${label}" as what runs it must go on to the end: ${deaths} workers or their processes died with it${last}${why}; see there why they ended (short of memory?), then try it again`,
      { engine: "worker" },
    ),
  );
  return description;
}
