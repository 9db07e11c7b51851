import { isIsthmusError } from "@isthmus/core";
import { describeError, type ErrorDescription, isLostWorker } from "@isthmus/tasks";

/** Codes of errors of systems and of S3 that are caused by a wrong call, rather than by the environment. */
const FAULTS_OF_INPUT = new Set([
  ...["EISDIR", "ENOTDIR", "EACCES", "EPERM", "ENAMETOOLONG", "EINVAL", "ELOOP"],
  ...["NoSuchBucket", "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch"],
]);

/**
 * Describes why a task failed, and whether another attempt may succeed: not if its input is bad or its code
 * is wrong; but it may after a fault of the environment, such as a full disk, or a killed process.
 */
export function classifyFailure(error: unknown): {
  readonly error: ErrorDescription;
  readonly again: boolean;
  /** Whether the process of the task died. */
  readonly died: boolean;
} {
  const description = describeError(error);
  const { code } = description;
  const isOfWorld = code !== undefined && !FAULTS_OF_INPUT.has(code);
  const again = isOfWorld || isIsthmusError(error, "EngineError");
  return { error: description, again, died: isLostWorker(error) };
}
