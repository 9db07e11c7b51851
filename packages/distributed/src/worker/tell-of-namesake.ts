import type { TaskQueue } from "../queue/task-queue.ts";

/** Reports another worker of the same name, once. */
export interface NamesakeWatch {
  /** Schedules the second look, for workers that began at the same time. */
  begin(): void;
  /** Cancels the second look. */
  end(): void;
}

/**
 * Looks for another worker that serves a queue under the same name, and reports it. Two workers that
 * begin at the same time do not see each other at first, so that there is a second look.
 * @param options - `pause`: milliseconds until the second look
 */
export async function tellOfNamesake(
  queue: TaskQueue,
  name: string,
  { pause, tell }: { readonly pause: number; readonly tell: (sentence: string) => void },
): Promise<NamesakeWatch> {
  const look = async (mine: number): Promise<boolean> => {
    // The part that needs the queue reports that it is away.
    const workers = await queue.workers().catch(() => []);
    const named = workers.filter((worker) => worker.name === name);
    if (named.length <= mine) return false;
    const silent = named.flatMap((worker) => worker.silent ?? []);
    const seen =
      silent.length === 0 ? "is connected" : `was seen ${Math.max(0, Math.round(Math.max(...silent)))} s ago`;
    tell(
      `another worker of this name ${seen}; results cannot be told apart; give one of them another --name`,
    );
    return true;
  };
  const isKnown = await look(0);
  let timer: NodeJS.Timeout | undefined;
  return {
    begin() {
      if (!isKnown) timer = setTimeout(() => void look(1), pause).unref();
    },
    end: () => clearTimeout(timer),
  };
}
