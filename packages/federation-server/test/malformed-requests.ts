import { once } from "node:events";
import { connect } from "node:net";
import { createRandom, type Random } from "@isthmus/core";

const METHODS = [
  "GET",
  "PUT",
  "PATCH",
  "POST",
  "HEAD",
  "DELETE",
  "OPTIONS",
  "TRACE",
  "get",
  "",
  "X".repeat(300),
];
const HASH = "0123456789abcdef".repeat(4);
const PATHS = [
  "/",
  "/health",
  "/metrics",
  "/v1/federation",
  "/v1/rounds/current",
  "/v1/rounds/current?wait=-1",
  "/v1/rounds/current?wait=1e9",
  "/v1/rounds/current?wait=NaN",
  `/v1/models/${HASH}`,
  "/v1/models/../../tokens.json",
  "/v1/models/%2e%2e%2f%2e%2e%2ftokens.json",
  "/v1/models/%00",
  `/v1/uploads/${HASH}`,
  "/v1/uploads/..%2f..%2fjournal.jsonl",
  "/v1/rounds/1/updates",
  "/v1/rounds/-1/updates",
  "/v1/rounds/1e400/updates",
  "/v1/rounds/__proto__/updates",
  "/v1/membership",
  "/v1/graph",
  "/v1/openapi.json",
  "*",
  "http://elsewhere/",
  `/${"a".repeat(20_000)}`,
  "/%",
  "/\u0000",
];
const BODIES = [
  "",
  "{",
  "null",
  "[]",
  '{"hash":1}',
  `{"hash":"${HASH}","examples":1e999}`,
  `{"hash":"${HASH}","examples":-1}`,
  `{"hash":"${HASH}","examples":1,"loss":1e999}`,
  `{"hash":"${HASH}","examples":1,"metrics":{"__proto__":{"a":1}}}`,
  `{"__proto__":{"client":"bea"},"hash":"${HASH}","examples":5}`,
  `{"constructor":{"prototype":{}},"hash":"${HASH}","examples":5}`,
  `${"[".repeat(30_000)}`,
  `{"hash":"${"x".repeat(70_000)}"}`,
  "\u0000\u0001\u0002",
];
const HEADERS = [
  "Content-Type: application/json",
  "Content-Type: application/octet-stream",
  "Content-Type: text/html; charset=\u00ff",
  "Content-Type: multipart/form-data; boundary=x",
  "Upload-Offset: 0",
  "Upload-Offset: -5",
  "Upload-Offset: 99999999999999999999",
  "Upload-Offset: abc",
  "Upload-Length: 10737418240",
  "Upload-Length: 100",
  "Upload-Length: -1",
  "Content-Length: 10737418240",
  "Content-Length: -1",
  "Content-Length: 5\r\nContent-Length: 6",
  "Transfer-Encoding: chunked",
  "Transfer-Encoding: chunked\r\nContent-Length: 4",
  "Range: bytes=0-0,5-9",
  "Range: bytes=99999999999999-",
  "Range: lines=1-2",
  "If-None-Match: *",
  "Expect: 100-continue",
  "Upgrade: websocket\r\nConnection: Upgrade",
  `X-Long: ${"y".repeat(20_000)}`,
  "Bad Header: x",
  "Authorization: Bearer",
  "Authorization: Basic !!!!",
  `Authorization: Bearer ${"z".repeat(10_000)}`,
];

/** Makes a malformed request: a mixture of what there is, with a valid token now and then. */
export function makeMalformed(random: Random, token: string): Buffer {
  const pick = <T>(list: readonly T[]): T => list[random.integer(list.length)] as T;
  const headers = Array.from({ length: random.integer(4) }, () => pick(HEADERS));
  if (random.uniform() < 0.7) headers.push(`Authorization: Bearer ${token}`);
  if (random.uniform() < 0.9) headers.push("Host: x");
  const body = pick(BODIES);
  if (random.uniform() < 0.6) headers.push(`Content-Length: ${Buffer.byteLength(body)}`);
  const text = `${pick(METHODS)} ${pick(PATHS)} ${pick(["HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/9.9", ""])}\r\n${headers.join("\r\n")}\r\n\r\n${body}`;
  const bytes = Buffer.from(text, "latin1");
  if (random.uniform() < 0.2) bytes[random.integer(bytes.length)] = random.integer(256);
  return random.uniform() < 0.2 ? bytes.subarray(0, random.integer(bytes.length)) : bytes;
}

/** Milliseconds after which a request that nobody answers is given up. */
const PATIENCE_MS = 200;

/** Sends bytes as they are; returns the status of the answer, or 0 if there was none. */
export async function sendRaw(port: number, bytes: Buffer): Promise<number> {
  const socket = connect(port, "127.0.0.1");
  let answer = "";
  socket.setTimeout(PATIENCE_MS, () => socket.destroy());
  socket.on("error", () => undefined);
  socket.on("data", (data) => {
    answer += data.toString("latin1", 0, Math.max(0, 20 - answer.length));
    if (answer.length >= 12) socket.destroy();
  });
  socket.write(bytes);
  await once(socket, "close");
  return Number(/^HTTP\/1\.[01] (\d{3})/.exec(answer)?.[1] ?? 0);
}

/** Sends many malformed requests, some at once; returns how often each status was the answer. */
export async function sendMalformed(
  port: number,
  { seed, count, token }: { readonly seed: number; readonly count: number; readonly token: string },
): Promise<ReadonlyMap<number, number>> {
  const random = createRandom(seed, "malformed requests");
  const statuses = new Map<number, number>();
  let left = count;
  const send = async (): Promise<void> => {
    while (left-- > 0) {
      const status = await sendRaw(port, makeMalformed(random, token));
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: 16 }, send));
  return statuses;
}
