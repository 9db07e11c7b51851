import { explainFailure } from "../../packages/cli/src/terminal/explain-failure.ts";

/**
 * Checks whether an error is one of our own, with words for users: a tagged error, a UsageError or an
 * OutOfRangeError. Anything else is a defect of the program, whatever the file was.
 */
export async function isOwnError(error: unknown): Promise<boolean> {
  const { message } = await explainFailure(error);
  return !message.startsWith("Unexpected failure");
}
