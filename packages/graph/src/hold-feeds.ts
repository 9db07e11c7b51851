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
