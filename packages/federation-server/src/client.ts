// The client of a federation, without the server and the packages that only the server needs.

export { REQUIREMENTS, type RequiredProtection } from "./client/assert-required.ts";
export {
  type JoinFederationOptions,
  type JoinFederationResult,
  joinFederation,
} from "./client/join-federation.ts";
export { openClientData } from "./client/open-client-data.ts";
export type { ClientEvent, ClientTraining } from "./client/working-client.ts";
