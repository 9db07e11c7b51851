import { MismatchError } from "@isthmus/core";
import { type DataSet, fingerprintData } from "@isthmus/graph";

/**
 * Checks that examples equal the ones that a task was planned with.
 * @param digest - fingerprint of the examples where the task was planned
 * @throws MismatchError if they differ
 */
export function assertSameData(data: DataSet, digest: string): void {
  const computed = fingerprintData(data);
  if (computed === digest) return;
  throw new MismatchError(
    `Cannot measure on "${data.name}" as its examples must be the same on all machines: their fingerprint is ${computed} here, and ${digest} where the task was planned; let all machines see the same files`,
    { parameters: ["data"] },
  );
}
