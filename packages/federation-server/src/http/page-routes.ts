import type { FastifyInstance } from "fastify";
import { renderLivePage } from "../page/live-page.ts";
import type { Federation } from "../server/running-federation.ts";
import { RefusedError } from "./refuse.ts";
import { summarize } from "./summary.ts";

/** Largest number of pages that are kept up to date at once. */
const MOST_WATCHERS = 100;
/** Shortest time between two messages to a page, in milliseconds. */
const PAUSE_MS = 250;
/** Interval, in milliseconds, at which a page is sent an empty line, so that proxies keep the connection. */
const BEAT_MS = 20_000;
/** Number of bytes that may wait for a slow page; beyond it, messages to the page are dropped. */
const MOST_WAITING = 2 ** 20;

/** Adds the live page and the events that keep it up to date. */
export function addPageRoutes(app: FastifyInstance, federation: Federation): void {
  const config = { audience: "watchers" } as const;
  const schema = { tags: ["watching"] };
  app.get("/", {
    config,
    schema: { ...schema, summary: "See the federation live" },
    handler: async (_, reply) =>
      reply
        .type("text/html; charset=utf-8")
        .header("cache-control", "no-store")
        .header(
          "content-security-policy",
          "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        )
        .send(renderLivePage(federation.config.name, summarize(federation))),
  });
  app.get("/v1/summary", {
    config,
    schema: { ...schema, summary: "Read what the live page shows" },
    handler: async () => summarize(federation),
  });
  let watchers = 0;
  app.get("/v1/events", {
    config,
    schema: { ...schema, summary: "Follow what the live page shows, as server-sent events" },
    async handler(request, reply) {
      if (watchers >= MOST_WATCHERS)
        throw new RefusedError(503, `At most ${MOST_WATCHERS} pages are kept up to date`);
      watchers++;
      reply.hijack();
      const { raw } = reply;
      raw.writeHead(200, {
        "content-type": "text/event-stream",
        "cache-control": "no-store",
        "x-accel-buffering": "no",
      });
      const end = follow(federation, (text) => {
        if (raw.writableLength < MOST_WAITING) raw.write(text);
      });
      const stop = federation.changed.listen(() => {
        if (federation.ended.aborted) raw.end();
      });
      request.raw.socket.once("close", () => {
        watchers--;
        stop();
        end();
      });
    },
  });
}

/**
 * Writes the summary now and after every change, with a pause between two; returns a function that ends it.
 */
function follow(federation: Federation, write: (text: string) => void): () => void {
  let pausing = false;
  let missed = false;
  let pause: NodeJS.Timeout | undefined;
  const send = (): void => {
    if (pausing) {
      missed = true;
      return;
    }
    pausing = true;
    missed = false;
    write(`data: ${JSON.stringify(summarize(federation))}\n\n`);
    pause = setTimeout(() => {
      pausing = false;
      if (missed) send();
    }, PAUSE_MS);
  };
  const stop = federation.changed.listen(send);
  const beat = setInterval(() => write(":\n\n"), BEAT_MS);
  send();
  return () => {
    clearTimeout(pause);
    clearInterval(beat);
    stop();
  };
}
