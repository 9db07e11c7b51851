/** What to tell the user of a failure, and how the process should end. */
export interface Failure {
  readonly message: string;
  /** 1 if the work failed, 2 if what the user gave cannot be used. */
  readonly exitCode: 1 | 2;
}

/** Our wording: what was attempted, `as`, the rule, a colon, the value. V8 has no message of this form. */
const OUR_WORDING = /^Cannot .+ as .+: /s;

/** Tells bad input and wrong usage from work that failed and from our own mistakes. */
export async function explainFailure(error: unknown): Promise<Failure> {
  // Loaded when needed, as help must not wait for it.
  const { isIsthmusError } = await import("@isthmus/core");
  if (isIsthmusError(error)) {
    const failed = isIsthmusError(error, "EngineError", "DivergenceError");
    return { message: error.message, exitCode: failed ? 1 : 2 };
  }
  const message = error instanceof Error ? error.message : String(error);
  const argument = error instanceof TypeError || error instanceof RangeError;
  if (argument && OUR_WORDING.test(message)) return { message, exitCode: 2 };
  return { message: `Unexpected failure: ${message} (ISTHMUS_DEBUG=1 shows where)`, exitCode: 1 };
}
