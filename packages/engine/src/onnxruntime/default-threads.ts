import { InputError } from "@isthmus/core";

/** Environment variable for the default number of threads of a run. */
const VARIABLE = "ISTHMUS_ENGINE_THREADS";

/**
 * Returns the default number of threads of a run, from the variable `ISTHMUS_ENGINE_THREADS`; 0, which lets
 * onnxruntime use every core, if the variable is not set. Programs that share the cores of a machine should
 * divide the cores by this variable: the threads of onnxruntime wait for each other without releasing their
 * cores.
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
