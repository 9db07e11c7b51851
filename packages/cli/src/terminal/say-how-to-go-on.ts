import type { Context } from "../verb.ts";

/** A command that keeps its finished work, in case that it is stopped. */
interface Interruptible {
  readonly verb: string;
  /**
   * Says what the command has left and how to go on, such as `the state is in "a.state": --resume goes on`;
   * undefined if there is nothing to go on from.
   */
  readonly left: () => string | undefined;
}

/** Runs work; if the user stops it and it has left something, says how to go on. */
export async function sayHowToGoOn<T>(
  { verb, left }: Interruptible,
  { signal, terminal }: Pick<Context, "signal" | "terminal">,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const said = signal.aborted ? left() : undefined;
    if (said !== undefined) terminal.note(`isthmus ${verb}: ${said}`);
    throw error;
  }
}
