import type { ServerResponse } from "node:http";

/** Sends a content or the range of it that is asked for. */
export function sendContent(
  response: ServerResponse,
  content: Buffer,
  { method, range }: { readonly method: string; readonly range?: string | undefined },
): void {
  const [, begin, last] = /^bytes=(\d+)-(\d*)$/.exec(range ?? "") ?? [];
  const from = Number(begin ?? 0);
  const to = last === undefined || last === "" ? content.length : Math.min(content.length, Number(last) + 1);
  if (from >= content.length && content.length > 0) {
    end(response, 416);
    return;
  }
  const part = content.subarray(from, to);
  response.setHeader("content-length", part.length).setHeader("accept-ranges", "bytes");
  if (begin !== undefined) response.setHeader("content-range", `bytes ${from}-${to - 1}/${content.length}`);
  response.writeHead(begin === undefined ? 200 : 206);
  response.end(method === "HEAD" ? undefined : part);
}

/** Answers with a value as JSON. */
export function json(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(value));
}

/** Answers with a status and no body. */
export function end(response: ServerResponse, status: number, headers: Record<string, string> = {}): void {
  response.writeHead(status, { "content-length": "0", ...headers }).end();
}
