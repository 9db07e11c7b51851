import { digestFile } from "@isthmus/core";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Federation } from "../server/running-federation.ts";
import { fileSize, streamPieces } from "../store/read-pieces.ts";
import { attend } from "./attend.ts";
import { RefusedError } from "./refuse.ts";
import { HASH_PARAMS, REFUSED } from "./schemas.ts";

/** A file that never changes, and its hash. */
interface SentFile {
  readonly path: string;
  readonly hash: string;
  readonly type: string;
}

/** Adds the routes of the global networks and of their graph. */
export async function addModelRoutes(app: FastifyInstance, federation: Federation): Promise<void> {
  const { store } = federation;
  app.get<{ Params: { hash: string } }>("/v1/models/:hash", {
    schema: {
      params: HASH_PARAMS,
      response: REFUSED,
      tags: ["networks"],
      summary: "Read a global network of the federation, as safetensors; ranges are served",
    },
    async handler(request, reply) {
      const { hash } = request.params;
      const { initial, history } = federation.state;
      if (hash !== initial && !history.some((record) => record.hash === hash)) {
        throw new RefusedError(404, "There is no global network of this hash");
      }
      attend(federation, request, reply);
      return sendFile(request, reply, { path: store.model(hash), hash, type: "application/octet-stream" });
    },
  });
  if (federation.graph === null) return;
  const { graph: path } = federation;
  const graph = { path, hash: await digestFile(path), type: "application/octet-stream" };
  app.get("/v1/graph", {
    schema: { response: REFUSED, tags: ["networks"], summary: "Read the graph of the network, as ONNX" },
    handler: (request, reply) => sendFile(request, reply, graph),
  });
}

/** Sends a file, or the requested range of it, unless the client already has the same bytes. */
async function sendFile(
  request: FastifyRequest,
  reply: FastifyReply,
  { path, hash, type }: SentFile,
): Promise<FastifyReply> {
  const tag = `"${hash}"`;
  reply.headers({
    etag: tag,
    "accept-ranges": "bytes",
    "cache-control": "private, max-age=31536000, immutable",
  });
  if (request.headers["if-none-match"]?.includes(tag)) return reply.code(304).send();
  const size = await fileSize(path);
  if (size === 0) throw new RefusedError(404, "The file of this hash is not there any more");
  reply.type(type);
  const ifRange = request.headers["if-range"];
  const range =
    ifRange === undefined || ifRange === tag ? parseRange(request.headers.range, size) : undefined;
  if (range === undefined) return reply.header("content-length", size).send(streamPieces(path, 0, size));
  if (range === "outside") {
    throw new RefusedError(416, `The range must lie within the ${size} bytes`, {
      "content-range": `bytes */${size}`,
    });
  }
  const { begin, last } = range;
  reply.headers({ "content-range": `bytes ${begin}-${last}/${size}`, "content-length": last - begin + 1 });
  return reply.code(206).send(streamPieces(path, begin, last + 1));
}

/** Parses a range of bytes; other forms, such as several ranges, count as none (RFC 9110, section 14.2). */
function parseRange(
  header: string | undefined,
  size: number,
): { readonly begin: number; readonly last: number } | "outside" | undefined {
  const [, from, to] = /^bytes=(\d*)-(\d*)$/.exec(header ?? "") ?? [];
  if (from === undefined || to === undefined || (from === "" && to === "")) return undefined;
  const begin = from === "" ? Math.max(0, size - Number(to)) : Number(from);
  const last = from === "" || to === "" ? size - 1 : Math.min(Number(to), size - 1);
  if (from !== "" && to !== "" && Number(to) < begin) return undefined;
  return begin > last ? "outside" : { begin, last };
}
