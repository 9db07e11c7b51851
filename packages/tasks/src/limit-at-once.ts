/** Runs a function once fewer than some others are running, and returns what it returns. */
export type AtOnce = <T>(run: () => Promise<T>) => Promise<T>;

/**
 * Makes something that runs functions, only some at once: others wait for their turn.
 * @param limit - most that run at once
 */
export function limitAtOnce(limit: number): AtOnce {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (run) => {
    if (running >= limit) await new Promise<void>((resolve) => waiting.push(resolve));
    else running++;
    try {
      return await run();
    } finally {
      // Whoever is next takes this place, so that nobody slips in between.
      const next = waiting.shift();
      if (next === undefined) running--;
      else next();
    }
  };
}
