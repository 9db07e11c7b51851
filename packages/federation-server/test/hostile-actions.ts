import { connect } from "node:net";
import { setTimeout } from "node:timers/promises";
import type { Random } from "@isthmus/core";
import type { PlainClient } from "./plain-client.ts";
import { type Body, bodyOf } from "./small-federation.ts";

/** Knowledge of a hostile client while a round is open. */
export interface HostileView {
  readonly client: PlainClient;
  readonly port: number;
  readonly token: string;
  readonly round: number;
  /** Bytes of the global network. */
  readonly network: Buffer;
  /** Updates that others were seen to send, in this round and before. */
  readonly seen: readonly Body[];
  readonly random: Random;
  /** Notes bytes that any check must let pass, so that they may count. */
  readonly sound: (body: Body) => Body;
  /** Notes the status of an answer, 0 for a connection that was closed. */
  readonly note: (status: number) => void;
  /** Notes that an update counts, and the milliseconds until the server said so. */
  readonly counted: (milliseconds: number) => void;
  /** Milliseconds that the server took for the last update that counts. */
  readonly pace: () => number;
}

/** Returns a network with other numbers, or with another header. */
function changed(network: Buffer, change: (x: number, i: number) => number): Buffer {
  const begin = 8 + Number(network.readBigUInt64LE());
  const bytes = Buffer.from(network);
  for (let at = begin, i = 0; at < bytes.length; at += 4, i++) {
    bytes.writeFloatLE(Math.fround(change(bytes.readFloatLE(at), i)), at);
  }
  return bytes;
}

/** Returns a network whose first tensor has another name. */
export function renamed(network: Buffer, name: string): Body {
  const length = Number(network.readBigUInt64LE());
  const header = JSON.parse(network.toString("utf8", 8, 8 + length)) as Record<string, unknown>;
  const [first = "", ...others] = Object.keys(header).filter((key) => key !== "__metadata__");
  const entries = Object.fromEntries([[name, header[first]], ...others.map((key) => [key, header[key]])]);
  const json = Buffer.from(JSON.stringify(entries));
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(json.length));
  return bodyOf(Buffer.concat([size, json, network.subarray(8 + length)]));
}

/** Makes an update that passes all checks, another one each time. */
const soundUpdate = ({ network, random, sound }: HostileView): Body =>
  sound(bodyOf(changed(network, (x) => x + 0.01 * random.normal())));

/** Returns bytes under the hash of others, which they do not have. */
const disguised = ({ network }: HostileView, { hash }: Body): Body => ({
  hash,
  bytes: changed(network, () => 1e6),
});

/** Waits for an answer, and notes its status. */
async function tell({ note }: HostileView, answer: Promise<Response>): Promise<number> {
  const status = await answer.then((response) => response.status).catch(() => 0);
  note(status);
  return status;
}

async function send(view: HostileView, body: Body, round = view.round): Promise<void> {
  const began = performance.now();
  if ((await tell(view, view.client.send(round, body))) === 200) view.counted(performance.now() - began);
}

const upload = (view: HostileView, body: Body) => tell(view, view.client.upload(body));

async function submit(view: HostileView, body: Body): Promise<void> {
  await upload(view, body);
  await send(view, body);
}

/** Begins to send bytes by a connection of its own; the function returned ends it, with the last byte or without. */
async function beginUpload({ port, token }: HostileView, { bytes, hash }: Body, share: number) {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => undefined);
  socket.resume();
  const closed = new Promise<void>((resolve) => {
    socket.once("close", () => resolve());
  });
  socket.write(
    `PUT /v1/uploads/${hash} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/octet-stream\r\nContent-Length: ${bytes.length}\r\nConnection: close\r\n\r\n`,
  );
  const most = Math.min(bytes.length - 1, Math.floor(share * bytes.length));
  socket.write(bytes.subarray(0, most));
  return async (whole: boolean): Promise<void> => {
    // The server may have ended it.
    if (whole && socket.writable) socket.end(bytes.subarray(most));
    else socket.destroy();
    await closed;
  };
}

function patch(view: HostileView, { bytes, hash }: Body, begin: number, end: number): Promise<number> {
  const headers = {
    "content-type": "application/octet-stream",
    "upload-offset": String(begin),
    "upload-length": String(bytes.length),
  };
  const body = new Uint8Array(bytes.subarray(begin, end));
  return tell(view, view.client.request("PATCH", `/v1/uploads/${hash}`, { body, headers }));
}

/** Actions of hostile clients, by name. */
export const HOSTILE_ACTIONS: Readonly<Record<string, (view: HostileView) => Promise<unknown>>> = {
  /** Sends other bytes under the name of an upload while the server checks it. */
  async swap(view) {
    const body = soundUpdate(view);
    await upload(view, body);
    const answer = send(view, body);
    await setTimeout(view.random.uniform() * view.pace());
    const finish = await beginUpload(view, disguised(view, body), 1);
    await answer;
    await finish(true);
  },
  /** Removes an upload, by one that is too long or comes to nothing, while the server checks it. */
  async remove(view) {
    const body = soundUpdate(view);
    await upload(view, body);
    const answer = send(view, body);
    const finish = await beginUpload(view, disguised(view, body), view.random.uniform() / 2);
    await finish(false);
    await answer;
  },
  async flood(view) {
    const hashes = Array.from({ length: 10 }, () => bodyOf(Buffer.from(String(view.random.uniform()))));
    await Promise.all(hashes.map((body) => send(view, body, 1 + view.random.integer(1000))));
  },
  async "replay of a round"(view) {
    const body = view.seen[view.random.integer(Math.max(1, view.seen.length))] ?? soundUpdate(view);
    await upload(view, body);
    await send(view, body, Math.max(1, view.round - 1 - view.random.integer(3)));
  },
  async "update of another"(view) {
    const body = view.seen.at(-1) ?? soundUpdate(view);
    await send(view, body);
    if (view.random.uniform() < 0.3) await submit(view, body);
  },
  async "dropped connection"(view) {
    const finish = await beginUpload(view, soundUpdate(view), view.random.uniform());
    await setTimeout(view.random.integer(4));
    await finish(false);
  },
  async "half an upload"(view) {
    const body = soundUpdate(view);
    await patch(view, body, 0, Math.floor(body.bytes.length / 2));
    await send(view, body);
  },
  async "two posts at once"(view) {
    const body = soundUpdate(view);
    await upload(view, body);
    await Promise.all([send(view, body), send(view, body)]);
  },
  async "wrong digest"(view) {
    await submit(view, disguised(view, soundUpdate(view)));
  },
  async "long name"(view) {
    await submit(view, renamed(view.network, `${view.random.uniform()}${"n".repeat(20_000)}`));
  },
  async "not finite"(view) {
    const place = view.random.integer(200);
    await submit(view, bodyOf(changed(view.network, (x, i) => (i === place ? Number.NaN : x))));
  },
  async "huge norm"(view) {
    await submit(view, bodyOf(changed(view.network, (x) => x + 1e5 * view.random.normal())));
  },
  async "pieces out of order"(view) {
    const body = soundUpdate(view);
    const middle = Math.floor(body.bytes.length / 2);
    await patch(view, body, middle, body.bytes.length);
    await Promise.all([patch(view, body, 0, middle), patch(view, body, 0, middle)]);
    await patch(view, body, middle, body.bytes.length);
  },
  async "several connections"(view) {
    const [body, other] = [soundUpdate(view), soundUpdate(view)];
    const uploads = [body, other, disguised(view, body)].map((sent) => upload(view, sent));
    await Promise.all([...uploads, send(view, body), send(view, other)]);
  },
  async "joins and leaves"(view) {
    await tell(view, view.client.request("DELETE", "/v1/membership"));
    await tell(view, view.client.request("GET", "/v1/rounds/current"));
  },
};
