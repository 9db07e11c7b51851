import type { WarningName } from "@isthmus/engine";

/** Name of the warnings of Isthmus. Only its type is imported, so that help is shown without an engine. */
const OURS: WarningName = "IsthmusWarning";

/**
 * Shows the warnings of Isthmus as notes of the command, and leaves others to Node.
 * @returns a function that ends this
 */
export function showWarnings(note: (text: string) => void): () => void {
  const before = process.listeners("warning");
  const show = (warning: Error): void => {
    if (warning.name === OURS) note(warning.message);
    else for (const listener of before) listener(warning);
  };
  process.removeAllListeners("warning");
  process.on("warning", show);
  return () => {
    process.removeListener("warning", show);
    for (const listener of before) process.on("warning", listener);
  };
}
