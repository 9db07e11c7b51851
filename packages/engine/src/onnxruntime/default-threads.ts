import { InputError } from "@isthmus/core";

/** Variable of the environment that limits the threads of a run which names none. */
const VARIABLE = "ISTHMUS_ENGINE_THREADS";

/**
 * Returns the threads of a run which names none, from the variable `ISTHMUS_ENGINE_THREADS`; 0, which lets
 * onnxruntime take every core, if it is not set. Programs that share the cores of a machine should share them
 * by it: the threads of onnxruntime wait for each other without resting.
 * @throws InputError if the variable is not a whole number
 */
export function defaultThreads(): number {
  // biome-ignore lint/style/noProcessEnv: how busy the machine is, is known to whoever starts the process.
  const text = process.env[VARIABLE];
  if (text === undefined) return 0;
  if (!/^\d{0,4}$/.test(text)) {
    throw new InputError(
      `Cannot choose the threads of onnxruntime as ${VARIABLE} must be a whole number from 0 to 9999: it is "${text}"; set it to 1 for one thread, or unset it`,
      { input: VARIABLE },
    );
  }
  return Number(text);
}
