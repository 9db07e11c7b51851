import type { Tensor } from "@isthmus/core";
import type { Session } from "./engine.ts";

/**
 * Gives a session the tensors that many runs take, and returns what each run must be fed of them: nothing if
 * the engine's device holds them from now on, else all of them.
 * @throws EngineError if the device fails
 */
export async function holdFeeds(
  { memory }: { readonly memory?: Session["memory"] | undefined },
  tensors: ReadonlyMap<string, Tensor>,
): Promise<ReadonlyMap<string, Tensor>> {
  if (memory === undefined) return tensors;
  await memory.hold(tensors);
  return new Map();
}

/**
 * Returns a function that gives a session tensors that stay the same from run to run, and returns what each
 * run must be fed of them, as {@link holdFeeds} does. Tensors that are the same objects as in the call before
 * are not copied again, so that a changed tensor must be another object.
 */
export function createFeedHolder(
  session: Parameters<typeof holdFeeds>[0],
): (tensors: ReadonlyMap<string, Tensor>) => ReturnType<typeof holdFeeds> {
  const held = new Map<string, Tensor>();
  return async (tensors) => {
    if (session.memory === undefined) return tensors;
    const changed = new Map([...tensors].filter(([name, tensor]) => held.get(name) !== tensor));
    for (const [name, tensor] of changed) held.set(name, tensor);
    return changed.size === 0 ? changed : holdFeeds(session, changed);
  };
}
