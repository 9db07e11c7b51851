import type { TaskAssignment } from "@isthmus/study";
import type { EngineName } from "../options/engine-option.ts";

/** What a worker is started with. */
export interface StudyWorkerData {
  readonly engine: EngineName;
}

/** What a worker is told. */
export type ToWorker =
  | { readonly kind: "run"; readonly assignment: TaskAssignment }
  | { readonly kind: "abort" };

/** What a worker tells. */
export type FromWorker =
  | { readonly kind: "progress"; readonly done: number }
  | { readonly kind: "done"; readonly result: object }
  | { readonly kind: "failed"; readonly message: string; readonly exitCode: 1 | 2 };
