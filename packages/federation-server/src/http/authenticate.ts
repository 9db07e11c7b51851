import type { FastifyInstance, FastifyRequest } from "fastify";
import type { TokenFile } from "../tokens/tokens.ts";
import { RefusedError } from "./refuse.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** Name of the client whose token came with the request; empty without one. */
    client: string;
  }
  interface FastifyContextConfig {
    /** Who may ask: only clients, everyone, or whoever the federation's file says. @defaultValue "clients" */
    readonly audience?: "clients" | "everyone" | "watchers";
  }
}

/** What a browser shows when it asks for a name and a token. */
const CHALLENGE = 'Bearer realm="federation", Basic realm="federation: any name, and a token as password"';

/** Finds out which client sends a request before anything else is done about it. */
export function addAuthentication(app: FastifyInstance, tokens: TokenFile): void {
  app.decorateRequest("client", "");
  app.addHook("onRequest", async (request) => {
    const token = tokenOf(request.headers.authorization ?? "");
    if (token !== undefined) request.client = (await tokens.clientOf(token)) ?? "";
  });
}

/**
 * Refuses requests of nobody; called after the limit of the rate, which also counts attempts.
 * @throws RefusedError if the route is not for everyone and there is no client
 */
export function assertAudience(request: FastifyRequest, isPublic: boolean): void {
  const { audience = "clients" } = request.routeOptions.config;
  if (request.client !== "" || audience === "everyone" || (audience === "watchers" && isPublic)) return;
  const sent = request.headers.authorization === undefined ? "there is none" : "it is not valid";
  throw new RefusedError(401, `The request must come with the token of a client: ${sent}`, {
    "www-authenticate": CHALLENGE,
  });
}

/** Returns the token of a header: `Bearer TOKEN`, or the password of `Basic`, which browsers ask for. */
function tokenOf(header: string): string | undefined {
  const [, scheme, value = ""] = /^(Bearer|Basic) +(\S+)$/i.exec(header) ?? [];
  if (scheme === undefined) return undefined;
  if (scheme.toLowerCase() === "bearer") return value;
  const text = Buffer.from(value, "base64").toString("utf8");
  return text.slice(text.indexOf(":") + 1);
}
