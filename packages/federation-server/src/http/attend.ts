import type { FastifyReply, FastifyRequest } from "fastify";
import type { Federation } from "../server/running-federation.ts";

/** Counts the client of a request as present until its answer is sent, or its connection is lost. */
export function attend(federation: Federation, { client }: FastifyRequest, reply: FastifyReply): void {
  const end = federation.attend(client);
  reply.raw.once("close", end);
}
