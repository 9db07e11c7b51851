export type { Network, NetworkShape } from "./network.ts";
