/** Runs a function once fewer than a maximum of others are running, and returns its result. */
export type AtOnce = <T>(run: () => Promise<T>) => Promise<T>;

/**
 * Makes a function that runs other functions, only some at once: the others wait for their turn.
 * @param limit - maximum number of functions that run at once
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
      // The next function takes this place directly, so that no other can slip in between.
      const next = waiting.shift();
      if (next === undefined) running--;
      else next();
    }
  };
}
