import { setTimeout } from "node:timers/promises";
import type { Body } from "./small-federation.ts";

/** A client of tests that speaks the protocol by hand. */
export interface PlainClient {
  request(
    method: string,
    path: string,
    options?: { body?: NonNullable<RequestInit["body"]>; headers?: Record<string, string>; duplex?: "half" },
  ): Promise<Response>;
  task(wait?: number): Promise<{ task: string; round: number; network: string; reason: string | null }>;
  model(hash: string): Promise<Buffer>;
  upload(body: Body): Promise<Response>;
  send(round: number, body: Body, more?: object): Promise<Response>;
}

/** Creates a client of tests. */
export function plainClient(url: string, token: string | undefined): PlainClient {
  const request: PlainClient["request"] = (method, path, { body, headers = {}, duplex } = {}) =>
    fetch(`${url}${path}`, {
      method,
      headers: { ...(token === undefined ? {} : { authorization: `Bearer ${token}` }), ...headers },
      ...(body === undefined ? {} : { body }),
      ...(duplex && { duplex }),
    });
  return {
    request,
    task: async (wait = 0) => (await request("GET", `/v1/rounds/current?wait=${wait}`)).json(),
    model: async (hash) => Buffer.from(await (await request("GET", `/v1/models/${hash}`)).arrayBuffer()),
    upload: ({ bytes, hash }) =>
      request("PUT", `/v1/uploads/${hash}`, {
        body: new Uint8Array(bytes),
        headers: { "content-type": "application/octet-stream" },
      }),
    send: (round, { hash }, more = {}) =>
      request("POST", `/v1/rounds/${round}/updates`, {
        body: JSON.stringify({ hash, examples: 100, ...more }),
        headers: { "content-type": "application/json" },
      }),
  };
}

/** Takes part until the federation is over, as often as the server goes away. */
export async function takePart(
  url: () => string,
  token: string,
  makeUpdate: (round: number, network: Buffer) => Promise<Body>,
): Promise<string> {
  for (;;) {
    try {
      const client = plainClient(url(), token);
      const task = await client.task(5);
      if (task.task === "finished") return task.network;
      if (task.task !== "train") continue;
      const body = await makeUpdate(task.round, await client.model(task.network));
      const uploaded = await client.upload(body);
      if (!uploaded.ok) continue;
      await client.send(task.round, body);
    } catch {
      await setTimeout(20);
    }
  }
}
