/** The message of a failure for the user, and the exit code of the process. */
export interface Failure {
  /** Sentence that is printed after the name of the program. */
  readonly message: string;
  /** Exit code: 1 if the work failed, 2 if input or arguments of the user cannot be used. */
  readonly exitCode: 1 | 2;
}

/**
 * Returns the message and the exit code of a failure by the class of its error: input and arguments that
 * cannot be used (2), work that failed (1), or a defect of the program, which is called unexpected (1).
 */
export async function explainFailure(error: unknown): Promise<Failure> {
  // Loaded when needed, as help must not wait for it.
  const { isIsthmusError, isUsageError } = await import("@isthmus/core");
  if (isIsthmusError(error)) {
    const failed = isIsthmusError(error, "EngineError", "DivergenceError");
    return { message: escapeNames(error.message), exitCode: failed ? 1 : 2 };
  }
  if (isUsageError(error)) return { message: escapeNames(error.message), exitCode: 2 };
  const message = error instanceof Error ? error.message : String(error);
  return { message: `Unexpected failure: ${message} (ISTHMUS_DEBUG=1 shows where)`, exitCode: 1 };
}

/** Returns a message with line breaks in names written out; lines of lists in it begin with two spaces. */
function escapeNames(message: string): string {
  return message.replace(/\r|\n(?! {2})/g, (character) => (character === "\n" ? "\\n" : "\\r"));
}
