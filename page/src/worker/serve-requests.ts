import type { Handler, Handlers, RequestName, ToPage, ToWorker } from "./protocol.ts";

/** The part of a worker's global scope that requests come in by. */
type Port = Pick<DedicatedWorkerGlobalScope, "addEventListener" | "postMessage">;

/** Answers the requests of the page, each by its handler, until the worker ends. */
export function serveRequests<Names extends RequestName>(port: Port, handlers: Handlers<Names>): void {
  const running = new Map<number, AbortController>();
  const send = (message: ToPage) => port.postMessage(message);
  port.addEventListener("message", async ({ data }: MessageEvent<ToWorker>) => {
    const { id } = data;
    if ("abort" in data) {
      running.get(id)?.abort();
      return;
    }
    const controller = new AbortController();
    running.set(id, controller);
    try {
      // The table gives each name its own parameters, which the compiler cannot follow through a message.
      const handle = handlers[data.name as Names] as unknown as Handler<RequestName>;
      const report = (progress: unknown) => send({ id, progress });
      const result = await handle(data.params as never, { signal: controller.signal, report });
      send({ id, result });
    } catch (error) {
      const { name, message } = error instanceof Error ? error : { name: "Error", message: String(error) };
      send({ id, error: { name, message } });
    } finally {
      running.delete(id);
    }
  });
}
