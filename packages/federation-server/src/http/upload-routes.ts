import type { Readable } from "node:stream";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Federation } from "../server/running-federation.ts";
import { attend } from "./attend.ts";
import { RefusedError } from "./refuse.ts";
import { HASH_PARAMS, REFUSED } from "./schemas.ts";
import type { Uploads } from "./uploads.ts";

interface UploadRequest {
  Params: { hash: string };
  Headers: { "upload-offset"?: number; "upload-length"?: number; "content-length"?: number };
  Body: Readable;
}

/** Number of bytes by which the header of an update may be longer than the header of the network. */
const HEADER_ROOM = 2 ** 20;

/** Returns the largest number of bytes that an update may have. */
export function mostBytes({ config, networkBytes, rankBytes, secureElements }: Federation): number {
  const masked = config.plan.secure === null ? 0 : 4 * secureElements;
  return config.limits.bytes ?? Math.max(networkBytes + rankBytes, masked) + HEADER_ROOM;
}

const whole = { type: "integer", minimum: 0 } as const;

/** Adds the routes by which the bytes of updates come in: whole, or piece by piece. */
export function addUploadRoutes(app: FastifyInstance, federation: Federation, uploads: Uploads): void {
  const most = mostBytes(federation);
  const receive = async (
    request: FastifyRequest<UploadRequest>,
    reply: FastifyReply,
    { offset, anew = false }: { readonly offset: number; readonly anew?: boolean },
  ): Promise<number> => {
    const { "upload-length": announced, "content-length": content } = request.headers;
    const length = announced ?? (offset === 0 ? content : undefined);
    if (length === undefined) {
      throw new RefusedError(411, 'The request must say how many bytes the upload has, by "Upload-Length"');
    }
    const bytes = content === undefined ? length : Math.max(length, content);
    if (bytes > most) {
      throw new RefusedError(413, `An update may have ${most} bytes: it would have ${bytes}`);
    }
    attend(federation, request as FastifyRequest, reply);
    const { hash } = request.params;
    return uploads.write({ client: request.client, hash, offset, length, anew, body: request.body });
  };
  const shared = { params: HASH_PARAMS, response: REFUSED, tags: ["updates"] };
  const body = { bodyLimit: Number.MAX_SAFE_INTEGER };

  app.put<UploadRequest>("/v1/uploads/:hash", {
    ...body,
    schema: {
      ...shared,
      summary: "Send the bytes of an update whole; its name is their SHA-256",
      consumes: ["application/octet-stream"],
      headers: { type: "object", properties: { "upload-length": whole, "content-length": whole } },
    },
    async handler(request, reply) {
      const offset = await receive(request, reply, { offset: 0, anew: true });
      return reply.code(204).header("upload-offset", offset).send();
    },
  });

  app.patch<UploadRequest>("/v1/uploads/:hash", {
    ...body,
    schema: {
      ...shared,
      summary: "Send the next bytes of an update, from Upload-Offset on",
      consumes: ["application/octet-stream"],
      headers: {
        type: "object",
        required: ["upload-offset", "upload-length"],
        properties: { "upload-offset": whole, "upload-length": whole, "content-length": whole },
      },
    },
    async handler(request, reply) {
      const offset = await receive(request, reply, { offset: Number(request.headers["upload-offset"]) });
      return reply.code(204).header("upload-offset", offset).send();
    },
  });

  app.head<UploadRequest>("/v1/uploads/:hash", {
    schema: { params: HASH_PARAMS, tags: ["updates"], summary: "Ask how many bytes of an update are there" },
    async handler(request, reply) {
      const offset = await uploads.offsetOf(request.client, request.params.hash);
      return reply.header("upload-offset", offset).header("cache-control", "no-store").send();
    },
  });
}
