import type { RequestName, Requests, ToPage, ToWorker } from "../worker/protocol.ts";

/** Options of a request: how it is stopped and followed. */
export interface Asking<Name extends RequestName> {
  /** Stops the work if it is aborted. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Requests[Name]["progress"]) => void;
}

/** The worker that computes, as the page sees it. */
export interface Computer {
  /**
   * Sends a request and returns its answer.
   * @throws Error with the name and the message of the error in the worker; named AbortError if it was stopped
   */
  ask<Name extends RequestName>(
    name: Name,
    params: Requests[Name]["params"],
    asking?: Asking<Name>,
  ): Promise<Requests[Name]["result"]>;
  /** Ends the worker at once, whatever it does; requests whose answers have not come fail as if they were stopped. */
  end(): void;
}

/** A request whose answer has not come. */
interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly onProgress: ((progress: unknown) => void) | undefined;
}

/**
 * Starts the worker. It is started from an address that the page makes, as such a worker has the page's content security policy,
 * which one that is loaded from a host gets only if the host says so in a header.
 */
export function startComputer(script: string): Computer {
  const start = new Blob([`import ${JSON.stringify(new URL(script, document.baseURI).href)};`], {
    type: "text/javascript",
  });
  const worker = new Worker(URL.createObjectURL(start), { type: "module" });
  const waiting = new Map<number, Waiting>();
  let asked = 0;
  const send = (message: ToWorker) => worker.postMessage(message);
  worker.addEventListener("message", ({ data }: MessageEvent<ToPage>) => answer(data, waiting));
  worker.addEventListener("error", () => {
    for (const { reject } of waiting.values()) reject(new Error("The page's worker could not be started"));
    waiting.clear();
  });
  return {
    ask: (name, params, { signal, onProgress } = {}) =>
      new Promise((resolve, reject) => {
        const id = ++asked;
        signal?.addEventListener("abort", () => send({ id, abort: true }), { once: true });
        waiting.set(id, {
          resolve: resolve as (result: unknown) => void,
          reject,
          onProgress: onProgress as ((progress: unknown) => void) | undefined,
        });
        send({ id, name, params });
      }),
    end() {
      worker.terminate();
      for (const { reject } of waiting.values())
        reject(new DOMException("The work was stopped", "AbortError"));
      waiting.clear();
    },
  };
}

function answer(message: ToPage, waiting: Map<number, Waiting>): void {
  const request = waiting.get(message.id);
  if (request === undefined) return;
  if ("progress" in message) {
    request.onProgress?.(message.progress);
    return;
  }
  waiting.delete(message.id);
  if ("result" in message) request.resolve(message.result);
  else request.reject(Object.assign(new Error(message.error.message), { name: message.error.name }));
}
