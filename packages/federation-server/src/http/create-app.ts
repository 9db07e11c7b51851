import { createSecureContext } from "node:tls";
import rateLimit from "@fastify/rate-limit";
import swagger, { type FastifyDynamicSwaggerOptions as SwaggerOptions } from "@fastify/swagger";
import { cutText, InputError, isDiskFull, readTextFile } from "@isthmus/core";
import fastify, {
  type FastifyBaseLogger,
  type FastifyError,
  type FastifyInstance,
  type FastifyRequest,
  LogController,
} from "fastify";
import type { Federation } from "../server/running-federation.ts";
import type { TokenFile } from "../tokens/tokens.ts";
import { addAuthentication, assertAudience } from "./authenticate.ts";
import { addMetricsRoute, createMetrics } from "./metrics.ts";
import { addModelRoutes } from "./model-routes.ts";
import { addPageRoutes } from "./page-routes.ts";
import { RefusedError } from "./refuse.ts";
import { RequestCounts } from "./request-counts.ts";
import { addRoundRoutes } from "./round-routes.ts";
import { addSecureRoutes } from "./secure-routes.ts";
import { diskFull } from "./unless-full.ts";
import { addUpdateRoute, scannedParts } from "./update-route.ts";
import { addUploadRoutes } from "./upload-routes.ts";
import { createUploads } from "./uploads.ts";

/** Largest number of bytes of a request in JSON. */
const JSON_BYTES = 64 * 1024;
/** Largest number of milliseconds for the headers of a request. */
const HEADERS_MS = 10_000;

/** Largest number of characters of an error message in an answer. */
const MESSAGE_CHARACTERS = 2000;

/** Federation, tokens and log of an HTTP server. */
export interface AppPorts {
  /** Running federation, which the routes read and change. */
  readonly federation: Federation;
  /** Tokens of the clients, by which requests are authenticated. */
  readonly tokens: TokenFile;
  /** Logger of the server, to which failed requests are written. */
  readonly logger: FastifyBaseLogger;
}

/** Creates the HTTP server of a federation, not yet listening. */
export async function createApp({ federation, tokens, logger }: AppPorts): Promise<FastifyInstance> {
  const { limits } = federation.config;
  const app = await createServer(federation, logger);
  app.server.headersTimeout = HEADERS_MS;
  app.server.maxConnections = limits.connections;
  app.setErrorHandler<FastifyError>((cause, request, reply) => {
    const error = isDiskFull(cause) ? diskFull() : cause;
    const status = error.statusCode ?? 500;
    const isRefused = error instanceof RefusedError;
    if (status >= 500 && !(cause instanceof RefusedError))
      request.log.error({ err: cause }, "request failed");
    if (isRefused) reply.headers(error.headers);
    // The rest of the body is not read: the connection is closed instead.
    if (!request.raw.complete) reply.header("connection", "close");
    // The message may repeat text of the request, so its length is limited.
    const message = status < 500 || isRefused ? error.message : "The server failed; its log says why";
    return reply.code(status).send({ error: cutText(message, MESSAGE_CHARACTERS) });
  });
  app.setNotFoundHandler((request, reply) => {
    if (!request.raw.complete) reply.header("connection", "close");
    return reply.code(404).send({ error: `There is no ${request.method} of this path` });
  });
  app.addHook("onRequest", async (request) => assertNoBody(request));
  addAuthentication(app, tokens);
  await app.register(swagger, { openapi: describeApi(federation) });
  await app.register(rateLimit, {
    max: limits.requestsPerMinute,
    timeWindow: "1 minute",
    store: RequestCounts,
    keyGenerator: (request) => (request.client === "" ? `address ${request.ip}` : `client ${request.client}`),
    errorResponseBuilder: (_, { max, after }) =>
      new RefusedError(429, `At most ${max} requests are answered in a minute: ask again in ${after}`),
  });
  app.addHook("preParsing", async (request) => assertAudience(request, federation.config.public));
  // Bodies of updates are not parsed: routes write them to files piece by piece.
  app.addContentTypeParser("application/octet-stream", (_, payload, done) => done(null, payload));
  await app.register(async (routes) => addRoutes(routes, federation));
  return app;
}

/** Methods of requests that have a body here. */
const WITH_BODY: readonly string[] = ["PUT", "PATCH", "POST"];

/**
 * Checks that a request which needs no body has none, as no route would limit its size.
 * @throws RefusedError if the request has a body
 */
function assertNoBody({ method, headers }: FastifyRequest): void {
  if (WITH_BODY.includes(method)) return;
  const { "content-length": length = "0", "transfer-encoding": coding } = headers;
  if (coding === undefined && Number(length) === 0) return;
  throw new RefusedError(413, `A ${method} must come without a body: there is one`);
}

async function createServer(
  federation: Federation,
  loggerInstance: FastifyBaseLogger,
): Promise<FastifyInstance> {
  const { limits, tls } = federation.config;
  const options = {
    loggerInstance,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: JSON_BYTES,
    requestTimeout: limits.requestSeconds * 1000,
    routerOptions: { maxParamLength: 100 },
    forceCloseConnections: true,
  };
  if (tls === null) return fastify(options);
  const https = await readCertificate(tls);
  // Routes do not see the difference, and the types of routes should not.
  return fastify({ ...options, https }) as unknown as FastifyInstance;
}

/**
 * Reads key and certificate, and checks that they fit each other.
 * @throws InputError if a file cannot be read, or key and certificate do not fit each other
 */
async function readCertificate(tls: { readonly key: string; readonly cert: string }) {
  const pair = { key: await readTextFile(tls.key), cert: await readTextFile(tls.cert) };
  try {
    createSecureContext(pair);
  } catch (error) {
    throw new InputError(
      `Cannot serve by TLS as "${tls.key}" must be a key without a password, and "${tls.cert}" its certificate, both in PEM: ${(error as Error).message}`,
      { input: tls.cert, cause: error },
    );
  }
  return pair;
}

async function addRoutes(app: FastifyInstance, federation: Federation): Promise<void> {
  const metrics = createMetrics(federation);
  const uploads = createUploads(federation.store, async (request) => {
    const parts = scannedParts(federation);
    return (await federation.workers.scan({ ...request, parts })).scanned;
  });
  addMetricsRoute(app, metrics);
  app.get("/health", {
    config: { audience: "everyone", rateLimit: false },
    schema: { tags: ["watching"], summary: "Ask whether the server is there" },
    handler: async () => ({ status: federation.state.status }),
  });
  app.get("/v1/openapi.json", {
    config: { audience: "everyone" },
    schema: { tags: ["watching"], summary: "Read this description" },
    handler: async () => app.swagger(),
  });
  addRoundRoutes(app, federation);
  await addModelRoutes(app, federation);
  addUploadRoutes(app, federation, uploads);
  addUpdateRoute(app, federation, { uploads, metrics });
  addSecureRoutes(app, federation);
  addPageRoutes(app, federation);
}

function describeApi({ config }: Federation): NonNullable<SwaggerOptions["openapi"]> {
  return {
    openapi: "3.1.0",
    info: {
      // Everyone may read this description, but only clients may learn the name of a federation that is not
      // public.
      title: config.public ? `Federation "${config.name}"` : "Federation",
      version: "1",
      description:
        "Clients ask what to do, read the global network, train, upload their network and let it count.",
    },
    components: { securitySchemes: { token: { type: "http", scheme: "bearer" } } },
    security: [{ token: [] }],
  };
}
