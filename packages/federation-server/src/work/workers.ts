import { createThreadExecutor, type TaskExecutor, type ThreadExecutor } from "@isthmus/tasks";
import type { AggregatedRound, AggregateRequest } from "./aggregate-round.ts";
import type { CheckedUpdate, CheckRequest } from "./check-update.ts";
import type { EvaluateRequest } from "./evaluate-network.ts";
import type { EvaluatedNetwork } from "./evaluated-network.ts";
import type { LayerBarriers, LayerBarriersRequest } from "./measure-layer-barriers.ts";

/** Workers for tasks that take long, one task of each kind at a time. */
export interface Workers {
  /** Checks the numbers and norms of an uploaded update. */
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

/** Number of threads: one checks updates while another aggregates or evaluates. */
const CAPACITY = 2;

/** Address of the compiled script of the threads. */
const SCRIPT = new URL("./worker.js", import.meta.url);

/** Makes workers that are threads of this process. */
export function createThreadWorkers(): Workers {
  return createWorkers(createThreadExecutor(SCRIPT, { capacity: CAPACITY }));
}

/** Makes workers that do all tasks in the thread of the caller, for tests. */
export function createInlineWorkers(): Workers {
  return createWorkers({
    capacity: CAPACITY,
    run: async (assignment, { signal }) => (await import("./work.ts")).doWork(assignment, signal),
    close: async () => {},
  });
}

function createWorkers(executor: TaskExecutor & Pick<ThreadExecutor, "close">): Workers {
  const never = new AbortController().signal;
  const run = (kind: string, params: object, signal: AbortSignal): Promise<object> =>
    executor.run({ kind, params, inputs: {}, folder: "" }, { signal, onProgress: () => {} });
  const check = inTurn((request: CheckRequest) => run("check", request, never));
  const long = inTurn(([kind, request, signal]: [string, object, AbortSignal]) => run(kind, request, signal));
  return {
    check: (request) => check(request) as Promise<CheckedUpdate>,
    aggregate: (request, signal) => long(["aggregate", request, signal]) as Promise<AggregatedRound>,
    evaluate: (request, signal) => long(["evaluate", request, signal]) as Promise<EvaluatedNetwork>,
    measureLayers: (request, signal) => long(["layers", request, signal]) as Promise<LayerBarriers>,
    close: () => executor.close(),
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
