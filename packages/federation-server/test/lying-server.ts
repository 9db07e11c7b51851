import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";

/** A request to a server that lies. */
export interface AskedRequest {
  readonly headers: IncomingMessage["headers"];
  readonly method: string;
  readonly path: string;
  readonly body: Buffer;
}

/** An answer of a server, whose body is JSON or bytes. */
export interface GivenAnswer {
  readonly status: number;
  readonly body: Buffer | Readable;
  readonly headers?: Headers;
}

/** Returns the answer to a request, in place of the honest one, for which it may ask. */
export type Lie = (request: AskedRequest, honest: () => Promise<GivenAnswer>) => Promise<GivenAnswer>;

/** Makes an answer of JSON. */
export const answerOf = (status: number, value: object): GivenAnswer => ({
  status,
  body: Buffer.from(JSON.stringify(value)),
});

/** Puts a server that lies between clients and an honest one. */
export async function lieFor(url: string, lie: Lie): Promise<{ readonly url: string; close(): void }> {
  const server = createServer(async (request, response) => {
    const { method = "", url: path = "", headers: sent } = request;
    const asked = { headers: sent, method, path, body: await bodyOf(request) };
    try {
      const { status, body, headers } = await lie(asked, () => askHonest(url, request, asked));
      const names = ["content-type", "upload-offset", "etag", "content-encoding"];
      // Node.js sends the true length of a buffer; a stream may announce another.
      if (body instanceof Readable) names.push("content-length");
      const kept = names.flatMap((name) => {
        const value = headers?.get(name) ?? undefined;
        return value === undefined ? [] : [[name, value] as const];
      });
      response.writeHead(status, Object.fromEntries(kept));
      if (!(body instanceof Readable)) response.end(method === "HEAD" ? undefined : body);
      else body.on("error", () => response.destroy()).pipe(response);
    } catch {
      response.destroy();
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}

async function askHonest(
  url: string,
  { headers }: IncomingMessage,
  { method, path, body }: AskedRequest,
): Promise<GivenAnswer> {
  const passed = ["authorization", "content-type", "upload-offset", "upload-length", "range", "if-range"];
  const answer = await fetch(`${url}${path}`, {
    method,
    headers: passed.flatMap((name) => (headers[name] === undefined ? [] : [[name, String(headers[name])]])),
    ...(body.length > 0 && { body: new Uint8Array(body) }),
  });
  return { status: answer.status, headers: answer.headers, body: Buffer.from(await answer.arrayBuffer()) };
}
