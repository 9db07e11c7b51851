export type {
  FederationConfig,
  ServerLimits,
  TrainingAdvice,
} from "./config/federation-config.ts";
export { readFederation } from "./config/read-config.ts";
export {
  type ServedFederation,
  type ServeOptions,
  serveFederation,
} from "./server/serve-federation.ts";
export { addToken, readTokens, removeToken, type TokenHashes } from "./tokens/tokens.ts";
export type { Workers } from "./work/workers.ts";
