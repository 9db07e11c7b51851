import { availableParallelism } from "node:os";
import { at } from "@isthmus/core";
import { createThreadExecutor, type TaskExecutor, type ThreadExecutor } from "@isthmus/tasks";
import type { AggregatedRound, AggregateRequest } from "./aggregate-round.ts";
import type { CheckedUpdate, CheckRequest } from "./check-update.ts";
import type { EvaluateRequest } from "./evaluate-network.ts";
import type { EvaluatedNetwork } from "./evaluated-network.ts";
import type { LayerBarriers, LayerBarriersRequest } from "./measure-layer-barriers.ts";
import type { ScanAnswer, ScanRequest } from "./scan-upload.ts";

/** Workers for tasks that take long. */
export interface Workers {
  /** Goes on with the scan of an upload: digests its bytes and checks its numbers as they arrive. */
  scan(request: ScanRequest): Promise<ScanAnswer>;
  /** Checks the change that a scanned update makes. */
  check(request: CheckRequest): Promise<CheckedUpdate>;
  /** Aggregates a round into files. */
  aggregate(request: AggregateRequest, signal: AbortSignal): Promise<AggregatedRound>;
  /** Evaluates a network on the server's examples. */
  evaluate(request: EvaluateRequest, signal: AbortSignal): Promise<EvaluatedNetwork>;
  /** Measures the barriers of layers between two clients. */
  measureLayers(request: LayerBarriersRequest, signal: AbortSignal): Promise<LayerBarriers>;
  /** Ends the threads, which must be idle. */
  close(): Promise<void>;
}

/**
 * Number of threads that scan uploads, each for clients of its own, beside the thread that receives them and
 * the one that aggregates.
 */
const SCANNERS = Math.max(1, Math.min(4, availableParallelism() - 1));

/** Address of the compiled script of the threads. */
const SCRIPT = new URL("./worker.js", import.meta.url);

/** Makes workers that are threads of this process. */
export function createThreadWorkers(): Workers {
  const createThread = (): Executor => createThreadExecutor(SCRIPT, { capacity: 1 });
  return createWorkers(createThread(), Array.from({ length: SCANNERS }, createThread));
}

/** Makes workers that do all tasks in the thread of the caller, for tests. */
export function createInlineWorkers(): Workers {
  const inline: Executor = {
    capacity: 1,
    run: async (assignment, { signal }) => (await import("./work.ts")).doWork(assignment, signal),
    close: async () => {},
  };
  return createWorkers(inline, [inline]);
}

type Executor = TaskExecutor & Pick<ThreadExecutor, "close">;

function createWorkers(aggregator: Executor, scanners: readonly Executor[]): Workers {
  const never = new AbortController().signal;
  const queueOf = (executor: Executor) =>
    inTurn(([kind, params, signal = never]: readonly [string, object, AbortSignal?]) =>
      executor.run({ kind, params, inputs: {}, folder: "" }, { signal, onProgress: () => {} }),
    );
  const long = queueOf(aggregator);
  const queues = scanners.map(queueOf);
  /** Does work in the thread of a client, in which the scan of its upload is known. */
  const ofClient = (kind: string, request: { readonly client: string }): Promise<object> => {
    const number = [...request.client].reduce((sum, character) => sum + character.charCodeAt(0), 0);
    return at(queues, number % queues.length)([kind, request]);
  };
  return {
    scan: (request) => ofClient("scan", request) as Promise<ScanAnswer>,
    check: (request) => ofClient("check", request) as Promise<CheckedUpdate>,
    aggregate: (request, signal) => long(["aggregate", request, signal]) as Promise<AggregatedRound>,
    evaluate: (request, signal) => long(["evaluate", request, signal]) as Promise<EvaluatedNetwork>,
    measureLayers: (request, signal) => long(["layers", request, signal]) as Promise<LayerBarriers>,
    close: async () => {
      for (const executor of [aggregator, ...scanners]) await executor.close();
    },
  };
}

/** Returns a function that calls another function once the call before has ended, with success or not. */
export function inTurn<A, R>(call: (argument: A) => Promise<R>): (argument: A) => Promise<R> {
  let last: Promise<unknown> = Promise.resolve();
  return (argument) => {
    const next = last.then(() => call(argument));
    last = next.catch(() => undefined);
    return next;
  };
}
