import { EngineError } from "@isthmus/core";
import { describeError, type ErrorDescription } from "@isthmus/tasks";

/** Deaths of workers, or of their processes, that happened while they ran a task. */
export interface TaskDeaths {
  /** Label of the task for people. */
  readonly label: string;
  /** Number of workers, and of processes of workers, that died. */
  readonly deaths: number;
  /** Name of the last worker, if it reported anything. */
  readonly worker?: string | undefined;
  /** Exit reason of the process, if a process rather than a whole worker died. */
  readonly reason?: string | undefined;
}

/** Describes why a task is set aside after workers have died with it. */
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
