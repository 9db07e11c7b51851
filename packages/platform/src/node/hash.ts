import * as crypto from "node:crypto";
import type { CreateHash } from "../port.ts";

/** Starts a digest. */
export const createHash: CreateHash = crypto.createHash;

/** Makes an identifier of random digits. */
export const randomUUID: () => string = crypto.randomUUID;
