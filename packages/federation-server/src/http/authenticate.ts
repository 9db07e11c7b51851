import type { FastifyInstance, FastifyRequest } from "fastify";
import type { TokenFile } from "../tokens/tokens.ts";
import { RefusedError } from "./refuse.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** Name of the client whose token the request has; empty without a valid token. */
    client: string;
  }
  interface FastifyContextConfig {
    /**
     * Audience of a route: only clients, everyone, or watchers, who need a token unless the federation is
     * public. @defaultValue "clients"
     */
    readonly audience?: "clients" | "everyone" | "watchers";
  }
}

/** Challenge with which a browser asks for a name and a token. */
const CHALLENGE = 'Bearer realm="federation", Basic realm="federation: any name, and a token as password"';

/** Identifies the client of each request by its token, before the request is handled. */
export function addAuthentication(app: FastifyInstance, tokens: TokenFile): void {
  app.decorateRequest("client", "");
  app.addHook("onRequest", async (request) => {
    const token = tokenOf(request.headers.authorization ?? "");
    if (token !== undefined) request.client = (await tokens.clientOf(token)) ?? "";
  });
}

/**
 * Refuses requests without a valid token; called after the limit of the rate, which counts refused attempts
 * too.
 * @throws RefusedError if the route requires a client and the request has none
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
