export type { RequiredProtection } from "./client/assert-required.ts";
export {
  type JoinFederationOptions,
  type JoinFederationResult,
  joinFederation,
} from "./client/join-federation.ts";
export { openClientData } from "./client/open-client-data.ts";
export type { ClientEvent, ClientTraining } from "./client/working-client.ts";
export type { FederationConfig, ServerLimits, TrainingAdvice } from "./config/federation-config.ts";
export { readFederation } from "./config/read-config.ts";
export { type ServedFederation, type ServeOptions, serveFederation } from "./server/serve-federation.ts";
export { addToken, readTokens, removeToken, type TokenHashes } from "./tokens/tokens.ts";
export type { Workers } from "./work/workers.ts";
