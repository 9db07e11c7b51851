import type { Engine } from "@isthmus/graph";
import type { ExamplesReading } from "@isthmus/zoo";
import type { EngineOptions } from "../options/engine-option.ts";
import type { Context } from "../verb.ts";
import { namesOf, type ScalingOptions } from "./open-data.ts";
import { openEngine } from "./open-engine.ts";

/** Options of the library for opening networks and examples. */
type Reading<T> = Omit<T, keyof ScalingOptions | keyof EngineOptions> &
  ExamplesReading & {
    readonly engine: Engine;
    readonly signal: AbortSignal;
    readonly onNote: (text: string) => void;
  };

/**
 * Returns the options of the library for opening networks and examples by the options of a command: the
 * engine in place of its name, and the scale of bytes in place of `--mean` and `--std`. Other options keep
 * their names; notes go to the terminal.
 */
export async function readingOf<T extends Partial<EngineOptions> & ScalingOptions>(
  { engine = "onnxruntime", device, verbose, ...options }: T,
  { signal, terminal }: Pick<Context, "signal" | "terminal">,
): Promise<Reading<T>> {
  const names = namesOf(options);
  const opened = await openEngine({ engine, device, verbose }, { terminal });
  return { ...names, engine: opened, signal, onNote: terminal.note } as Reading<T>;
}
