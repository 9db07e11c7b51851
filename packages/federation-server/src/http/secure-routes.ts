import {
  type ClientMessage,
  type FederationState,
  isTaken,
  refusalOfMessage,
  roundOf,
  secureTaskOf,
} from "@isthmus/federated";
import type { FastifyInstance } from "fastify";
import type { Federation } from "../server/running-federation.ts";
import { attend } from "./attend.ts";
import { RefusedError } from "./refuse.ts";
import { REFUSED, ROUND_PARAMS } from "./schemas.ts";
import { unlessFull } from "./unless-full.ts";

/** Largest number of bytes of a message: 255 shares and commitments take 90 kB. */
const MESSAGE_BYTES = 2 ** 20;

const text = { type: "string" } as const;

/** Schema of the next step of a client in a secure sum. */
const SECURE_ANSWER: object = {
  type: "object",
  properties: {
    step: { type: "string", enum: ["keys", "shares", "masked", "confirm", "reveal"] },
    settings: { type: "object", additionalProperties: true },
    message: { type: ["object", "null"], additionalProperties: true },
  },
  required: ["step", "settings", "message"],
};

/** Adds the routes by which the messages of a secure sum are exchanged. */
export function addSecureRoutes(app: FastifyInstance, federation: Federation): void {
  if (federation.config.plan.secure === null) return;
  const shared = { params: ROUND_PARAMS, tags: ["secure sum"] };
  app.get<{ Params: { round: number } }>("/v1/rounds/:round/secure", {
    schema: {
      ...shared,
      response: { 200: SECURE_ANSWER, ...REFUSED },
      summary: "Read what the client must do next in the secure sum of a round, and what it needs for it",
    },
    async handler(request, reply) {
      attend(federation, request, reply);
      assertOpen(federation.state, request.params.round);
      const task = secureTaskOf(federation.state, request.client);
      if (task !== undefined) return task;
      throw new RefusedError(409, "The client has nothing to send now in the secure sum: ask what to do");
    },
  });
  app.post<{ Params: { round: number }; Body: ClientMessage }>("/v1/rounds/:round/secure", {
    bodyLimit: MESSAGE_BYTES,
    schema: {
      ...shared,
      body: {
        type: "object",
        properties: { kind: text, session: text, client: text },
        required: ["kind", "session", "client"],
      },
      response: REFUSED,
      summary: "Send the client's message of the secure sum; asking twice is harmless",
    },
    async handler(request, reply) {
      const { client, body: message } = request;
      attend(federation, request, reply);
      if (message.client !== client) {
        throw new RefusedError(
          422,
          "The message must be of the client whose token was sent: it is of another",
        );
      }
      if (isTaken(federation.state, message)) return reply.code(204).send();
      const { attempt } = assertOpen(federation.state, request.params.round);
      const refusal = refusalOfMessage(federation.state, message);
      // Messages of kind "masked" are always refused here.
      if (refusal !== undefined || message.kind === "masked") throw new RefusedError(409, refusal ?? "");
      const { round } = request.params;
      await unlessFull(federation, () =>
        federation.happen({ kind: "secure-received", round, attempt, message }),
      );
      return reply.code(204).send();
    },
  });
}

function assertOpen(state: FederationState, round: number): NonNullable<FederationState["open"]> {
  if (state.open !== null && state.secure !== null && round === roundOf(state)) return state.open;
  throw new RefusedError(409, `No secure sum of round ${round} is open: ask what to do`);
}
